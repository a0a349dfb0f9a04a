"""Training steps recorded once as a CUDA graph, then replayed: on a GPU a small network waits for launches, not work.

Recorded are the forward pass, the loss and the backward pass; the optimizer's step stays outside, one fused launch, so
that rates, penalties on gradients and every callback around a step are as ever. Nothing is read back from the device.
A recording is tried before it is trusted: with the same random numbers its replay must give the eager pass's loss. What
cannot be recorded is trained step by step, and the reason is said. Other shapes, such as an epoch's last short batch,
get a recording of their own once they come a second time.

Not measured, and `record_on_cuda` itself not tried: no GPU was at hand. The decisions and the loop around it are tested
on a CPU with a recorder that calculates each replay anew. Source: torch's notes on CUDA graphs."""
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from fastai.callback.schedule import ParamScheduler

from fastlab.nets.parts import Network
from fastlab.seeds import kept_random_state

INSIDE = ("before_batch", "after_pred", "after_loss", "before_backward", "after_backward")
OUTSIDE = (ParamScheduler,)     # sets rates, which only the optimizer's step reads, and that is not recorded
WARM_UP = 3                     # passes before a recording, as torch's notes ask for
ALIKE = 1e-2                    # relative difference of losses that bf16 and another order of sums can explain


@dataclass(frozen=True)
class Recording:
    "inputs: tensors to fill before `replay()`; pred, loss, gradients: the tensors in which its results then stand."
    inputs: tuple
    replay: object
    pred: torch.Tensor
    loss: torch.Tensor
    gradients: tuple


def reason_against(learn, listens):
    "Why a Learner's steps cannot be recorded, or None. listens(callback, event): whether it has a method for an event."
    if type(learn.model) is not Network:
        return "only fastlab's own networks are known to do the same at every step"
    hooked = [name for name, part in learn.model.named_modules()
              if part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part._backward_pre_hooks]
    if hooked:
        return f"hooks look into the network at {hooked[0] or 'its top'}"
    for callback in learn.cbs:
        for event in INSIDE:
            harmless = getattr(callback, "reads_only", False) or type(callback) in OUTSIDE
            if listens(callback, event) and not harmless:
                return f"{type(callback).__name__} works inside a step ({event})"
    return None


class GraphedSteps:
    """The recorded steps of one fit. `record(compute, learn, batch)` gives a Recording of `compute(batch)`, which
    returns (pred, loss) and leaves gradients; it raises RuntimeError for what cannot be recorded."""

    def __init__(self, learn, listens, record, say=print):
        self.learn, self.record, self.say = learn, record, say
        self.seen, self.recordings, self.reason = set(), {}, None
        if reason := reason_against(learn, listens):
            self._give_up(reason)

    def _give_up(self, reason):
        self.reason = reason
        self.say(f"Steps are not recorded as a CUDA graph: {reason}. They are trained one by one.")

    def passed(self):
        "Forward and backward pass of the Learner's batch by replay; False where it must be calculated step by step."
        learn = self.learn
        batch = (*learn.xb, *learn.yb)
        if self.reason or not learn.yb:
            return False
        trainable = [parameter for parameter in learn.model.parameters() if parameter.requires_grad]
        key = (len(learn.xb), *((part.shape, part.dtype) for part in batch), *map(id, trainable))
        if key not in self.seen:
            self.seen.add(key)
            return False
        if key not in self.recordings and not self._recorded(key, batch):
            return False
        self._replayed(self.recordings[key], batch, trainable)
        return True

    def _recorded(self, key, batch):
        try:
            recording = self.record(self._compute, self.learn, batch)
            if not self._alike(recording, batch):
                raise RuntimeError("a replay gave another loss than the same step calculated")
        except RuntimeError as error:
            self._give_up(str(error).splitlines()[0])
            return False
        self.recordings[key] = recording
        return True

    def _compute(self, batch):
        learn, count = self.learn, len(self.learn.xb)
        pred = learn.forward(*batch[:count])
        loss = learn.loss_func(pred, *batch[count:])
        loss.backward()
        return pred, loss

    def _alike(self, recording, batch):
        "Whether calculation and replay, each from the same random numbers, give the same loss; leaves nothing changed."
        with untouched(self.learn.model):
            expected = self._compute(batch)[1].detach().clone()
        with untouched(self.learn.model):
            _fill(recording, batch)
            recording.replay()
            return torch.allclose(expected, recording.loss, rtol=ALIKE)

    def _replayed(self, recording, batch, trainable):
        _fill(recording, batch)
        recording.replay()
        learn = self.learn
        learn.pred, learn.loss_grad, learn.loss = recording.pred, recording.loss, recording.loss.detach().clone()
        for parameter, gradient in zip(trainable, recording.gradients):
            parameter.grad = gradient


def _fill(recording, batch):
    for place, part in zip(recording.inputs, batch):
        place.copy_(part)


@contextmanager
def untouched(model):
    "Inside, passes may be calculated; afterwards buffers, gradients and random numbers are as before."
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    model.zero_grad(set_to_none=True)
    try:
        with kept_random_state():
            yield
    finally:
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
        for parameter, gradient in gradients:
            parameter.grad = gradient


def record_on_cuda(compute, learn, batch):
    "A Recording of compute(batch) as a CUDA graph. Raises RuntimeError where torch cannot capture it."
    inputs = tuple(part.clone() for part in batch)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with untouched(learn.model):
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                learn.model.zero_grad(set_to_none=True)
                compute(inputs)
        torch.cuda.current_stream().wait_stream(side)
        learn.model.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            pred, loss = compute(inputs)
        gradients = tuple(parameter.grad for parameter in learn.model.parameters() if parameter.requires_grad)
    return Recording(inputs, graph.replay, pred.detach(), loss.detach(), gradients)
