"""Pictures: functions that take arrays and return matplotlib Axes. None reads a file, opens a window or measures.

Each takes `ax` (one Axes to draw on) or, where it returns an array of Axes, `figure` (a Figure or SubFigure); left out,
a new Figure is made. `style.save(axes, path)` writes PNG or SVG; in a notebook, show `axes.figure`.

curves        accuracy, loss, error, training, rate_finder, schedule
results       batch, results, mistakes, pairs
confusion     matrix
calibration   reliability, per_class, against (ten crops, ensembles), ensemble
layers        zeros, dead, sizes, histogram: over time
normalising   normalised (BatchNorm), profile, contrast and lrn (LRN)
kernels       first_layer
maps          through (one image through all layers)
patches       best (what each unit answers to most)
heat          attention (Grad-CAM, occlusion)
fields        theoretical, effective: receptive fields on an image
invariance    answers (under shift, rotation, scale, noise), steps
costs         layers, prior
shapes        flow: the shape at every step
dropout       spread, updates
comparisons   pairs, forest, powers
style, fonts, tiles, order: the look, fonts for every character, images in rows, an order in which confusions cluster
"""
