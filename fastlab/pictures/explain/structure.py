"""What can be said of a network's structure: the shape at every step, receptive fields, the prior, the cost."""
import numpy as np

from fastlab.inside.costs import cost_table, timed
from fastlab.inside.fields import fields
from fastlab.pictures import costs as bars
from fastlab.pictures import fields as frames
from fastlab.pictures.explain.section import Picture, Section, Table, percent, records, small, times
from fastlab.pictures.shapes import flow, wording

SHOWN = 12         # effective fields that are drawn
TIMED = 20e9       # multiplications that one timed batch may take
ROUNDS = 11


def shapes(subject):
    "The shape at every step."
    rows, _ = subject.layers
    image = (subject.channels, subject.size, subject.size)
    whole = [image, *(tuple(row["shape"]) for row in rows)]
    values = [int(np.prod(shape)) for shape in whole]
    most = int(np.argmax(values))
    learning = [row for row in rows if row["parameters"]]
    total = sum(row["parameters"] for row in rows)
    says = (f"An image of {subject.size}×{subject.size} pixels, {values[0]:,} values, becomes "
            f"{times(values[-1], 'score')} in "
            f"{times(len(rows), 'step')}; the most values at once are {values[most]:,}, after "
            f"{rows[most - 1]['name'] if most else 'the image itself'}.",
            f"{len(learning)} of the steps learn, {total:,} parameters in all: "
            + ", ".join(f"{row['name']} {row['parameters']:,}" for row in learning[:12])
            + (" …" if len(learning) > 12 else "") + ".")
    table = Table.of(("step", "kind", "shape", "values", "parameters"),
                     [(row["name"], row["kind"], wording(row["shape"]), count, row["parameters"])
                      for row, count in zip(rows, values[1:])])
    drawn = Picture("shapes", "Blocks from the image to the scores, as high as the maps and as wide as their number",
                    lambda: flow(["image", *(row["name"] for row in rows)], whole,
                                 [0, *(row["parameters"] for row in rows)]))
    notes = ("A part that is used again is a step each time, its number behind its name; its parameters are counted "
             "the first time.",) if any("#" in row["name"] for row in rows) else ()
    return Section("shapes", "The shape at every step", says, (drawn,), (table,),
                   {"image": list(image), "parameters": total, "values": values}, notes)


def receptive(subject):
    "Receptive fields, in theory and in effect."
    rows, effective = subject.layers
    closed = {field.name: field for field in fields(subject.net, subject.channels, subject.size)}
    placed = [row for row in rows if len(row["shape"]) == 3 and row["effective_receptive_field"]]
    widening = [row for before, row in zip([{"receptive_field": 1}, *placed], placed)
                if row["receptive_field"] > before["receptive_field"]]
    if not widening:
        return Section("fields", "How far a unit sees",
                       left_out="this network has no step with maps that answers to more than one pixel.")
    last, n = placed[-1], subject.field_images
    first, share = widening[0], last["effective_receptive_field"] / min(last["receptive_field"], subject.size)
    says = (f"A unit of {first['name']} sees {first['receptive_field']}×{first['receptive_field']} pixels; windows "
            f"and strides add up, and one of {last['name']} sees {last['receptive_field']}×{last['receptive_field']}"
            f"{', more than the whole image' if last['receptive_field'] > subject.size else ''}.",
            f"In effect the middle unit of {last['name']} looks at as many pixels as a square of "
            f"{last['effective_receptive_field']:.1f} a side holds, {percent(share, 0)} of the side that it could see "
            f"(pixels whose root mean square gradient is over 4.55 % of the greatest); half of the squared gradient "
            f"lies in {effective[last['name']].half:.1f} a side (n = {times(n, 'image')}).")
    shown = widening[:SHOWN]
    boxes = {row["name"]: middle_box(closed[row["name"]]) for row in shown}
    image = subject.images[0]
    pictures = (
        Picture("fields", "Nested frames on an image: what the middle unit of each layer could see",
                lambda: frames.theoretical(image, list(boxes.values()), list(boxes))),
        Picture("effective", "For each layer, in colour, where its middle unit really looks",
                lambda: frames.effective(image, {row["name"]: effective[row["name"]].map for row in shown}, boxes,
                                         {row["name"]: row["effective_receptive_field"] for row in shown}, n)))
    table = Table.of(("step", "sees (pixels)", "step between neighbours", f"looks at (pixels a side, n = {n})",
                      "half of it within"),
                     [(row["name"], f"{row['receptive_field']}×{row['receptive_field']}", row["jump"],
                       row["effective_receptive_field"],
                       effective[row["name"]].half if row["name"] in effective else None)
                      for row in rows if len(row["shape"]) == 3])
    return Section("fields", "How far a unit sees", says, pictures, (table,), {"n": n})


def middle_box(field):
    return field.box(field.shape[1] // 2, field.shape[2] // 2)


def prior(subject):
    "Connections and parameters against the fully connected network with the same maps."
    table = cost_table(subject.net, subject.channels, subject.size)
    steps = table[(table.dense > 0) & (table.parameters > 0) & (table.name != "total")]    # of a layer, the first use
    convolved = steps[steps.unshared > steps.parameters]
    if convolved.empty:
        return Section("prior", "An infinitely strong prior", left_out="this network has no convolution.")
    shared, dense = int(steps.parameters.sum()), int(steps.dense.sum())
    one = convolved.iloc[-1]
    units = int(np.prod(one["shape"]))
    says = (f"The {len(steps)} layers with weights have {shared:,} parameters; fully connected layers between the "
            f"same maps would have {bars.amount(dense)}, {dense / shared:,.0f} times as many.",
            f"Convolution is that network under an infinitely strong prior. In {one['name']} a unit keeps "
            f"{one.connections // units:,} of {one.dense // units:,} weights, all others being 0, and all places "
            f"share one kernel: {one.connections:,} connections hold {one.parameters:,} parameters. Pooling adds none.")
    names = list(steps.name)
    drawn = Picture("prior", "Parameters of each layer: shared, one kernel a place, fully connected",
                    lambda: bars.prior(names, list(steps.parameters), list(steps.unshared), list(steps.dense)))
    rows = [(row.name, row.connections, row.parameters, row.unshared, row.dense, row.dense / row.parameters)
            for row in steps.itertuples(index=False)]
    rows.append(("together", int(steps.connections.sum()), shared, int(steps.unshared.sum()), dense, dense / shared))
    return Section("prior", "An infinitely strong prior", says, (drawn,), (Table.of(
        ("layer", "connections", "parameters", "if every place had its kernel", "fully connected", "times as many"),
        rows),),
        {"parameters": shared, "fully_connected": dense, "layers": records(steps[
            ["name", "connections", "parameters", "unshared", "dense"]])})


def cost(subject):
    "Multiplications, bytes and milliseconds of every step."
    import torch
    images, _, _ = subject.first(TIMED, least=1, most=min(64, subject.budget.chunk))
    spent = timed(subject.net, images, ROUNDS, **subject.scale)
    table = cost_table(subject.net, subject.channels, subject.size)
    steps, total = table[table.name != "total"], table.iloc[-1]
    steps = steps.merge(spent.drop(columns="n"), on="name", how="left")
    steps[["milliseconds", "low", "high"]] /= len(images)
    elsewhere = float(spent.milliseconds.iloc[-1]) / len(images)
    whole = float(steps.milliseconds.sum()) + elsewhere
    dearest, slowest = steps.loc[steps.multiplications.idxmax()], steps.loc[steps.milliseconds.idxmax()]
    threads = torch.get_num_threads()
    says = (f"One image costs {int(total.multiplications):,} multiplications; {dearest['name']} makes "
            f"{percent(dearest.multiplications / total.multiplications, 0)} of them. Its maps take "
            f"{kilobytes(total.activation_bytes)}, the parameters {kilobytes(total.parameter_bytes)}.",
            f"Measured here: {small(whole)} ms an image in batches of {len(images)}, of which {slowest['name']} takes "
            f"{percent(slowest.milliseconds / whole, 0)} (median of n = {ROUNDS} batches, "
            f"{times(threads, 'thread')}, float32; {small(elsewhere)} ms pass between the steps).")
    quantities = {"multiplications": steps.multiplications, "maps (bytes)": steps.activation_bytes,
                  "parameters (bytes)": steps.parameter_bytes, f"time (ms, n = {ROUNDS})": steps.milliseconds}
    drawn = Picture("costs", "Bars of multiplications, bytes and measured time for every step",
                    lambda: bars.layers(list(steps.name), {name: list(values) for name, values in quantities.items()},
                                        {f"time (ms, n = {ROUNDS})": (steps.low, steps.high)}))
    rows = [(row.name, int(row.multiplications), int(row.activation_bytes), int(row.parameter_bytes), row.milliseconds)
            for row in steps.itertuples(index=False)]
    rows.append(("together", *(int(total[what]) for what in ("multiplications", "activation_bytes", "parameter_bytes")),
                 whole))
    return Section("cost", "What each step costs", says, (drawn,), (Table.of(
        ("step", "multiplications", "maps (bytes)", "parameters (bytes)", f"ms an image (n = {ROUNDS})"), rows),),
        {"multiplications": int(total.multiplications), "map_bytes": int(total.activation_bytes),
         "parameter_bytes": int(total.parameter_bytes), "milliseconds": whole, "batch": len(images), "n": ROUNDS,
         "threads": threads, "steps": records(steps[["name", "multiplications", "activation_bytes", "parameter_bytes",
                                                     "milliseconds", "low", "high"]])})


def kilobytes(count):
    "Bytes in words: '12.3 kB', '4.5 MB'."
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
