"""All explanations, in the order of the report's, and how they are made for one network."""
from fastlab.nets.steps import out_of_place
from fastlab.pictures.explain import answers, learning, looking, steadying, structure
from fastlab.seeds import kept_random_state

MAKERS = (structure.shapes, structure.receptive, structure.prior, answers.shift, answers.others, structure.cost,
          looking.first_kernels, looking.through, looking.best, looking.attention, steadying.lrn, steadying.signals,
          steadying.dropped, learning.over_time)


def sections(subject, progress=None):
    """Every Section of a Subject, measured; progress(done, total) after each. The network and the program's random
    numbers are afterwards what they were."""
    made = []
    with kept_random_state(), out_of_place(subject.net):
        for make in MAKERS:
            made.append(make(subject))
            if progress:
                progress(len(made), len(MAKERS))
    return made
