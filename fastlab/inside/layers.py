"""Every step of a network in one row: its shape, how far it could see, how far it looks, what it learns and costs."""
from fastlab.inside.costs import costs
from fastlab.inside.fields import effective_fields, fields


def layer_rows(net, images, seed=0, chunk=32, mean=0.0, std=1.0):
    """A dict a step, in order, of `net` for the size of `images` (see `prepared`), and the {name: EffectiveField}.

    name, kind, shape (of its output, without the batch); receptive_field: its side in pixels in closed form, the longer
    one, which may reach past the image; effective_receptive_field: the side of a square of as many pixels as the middle
    unit really looks at, over these images, None where no gradient reaches the image; parameters; multiplications for
    one image. `jump`: pixels between the fields of two neighbours."""
    channels, size = image_form(images)
    effective = effective_fields(net, images, seed=seed, chunk=chunk, mean=mean, std=std)
    rows = []
    for cost, field in zip(costs(net, channels, size), fields(net, channels, size)):
        looked = effective.get(cost.name)
        rows.append({"name": cost.name, "kind": cost.kind, "shape": list(cost.shape),
                     "receptive_field": max(field.size),
                     "effective_receptive_field": looked.size if looked and looked.size else None,
                     "jump": max(field.jump),
                     "parameters": cost.parameters, "multiplications": cost.multiplications})
    return rows, effective


def image_form(images):
    "(channels, size) of square images, uint8 (N, size, size, channels)."
    return images.shape[3], images.shape[1]
