"""One family of errors. A message names the file or option, the rule it broke, and the cure."""
from difflib import get_close_matches


class FastlabError(Exception):
    """A mistake that a person can mend: the command line prints its message, without a traceback, and ends with 2."""


class FolderError(FastlabError):
    "A data set whose layout, classes or splits cannot be used."


class ImageError(FastlabError):
    "Image files that cannot be decoded. `reasons` maps each path to why, so that all are named at once."

    def __init__(self, message, reasons=None):
        super().__init__(message)
        self.reasons = dict(reasons or {})


class OptionError(FastlabError):
    "An option, a Recipe's field or a function's argument outside its rule."


class ModelFileError(FastlabError):
    "A network's file that is damaged, was changed, or does not fit."


class TrainingError(FastlabError):
    "A training that went wrong: weights or losses that are not finite, a resume that does not match."


class PlanError(FastlabError):
    "A study's plan that cannot be read; the message names the file and the line."


class StorageError(FastlabError):
    "A place that cannot be read or written: permission, no space, not a folder."


def nearest(word, words):
    "The cure for a mistyped `word`: ' Did you mean X?', or the list of all that is allowed."
    words = {str(allowed).lower(): str(allowed) for allowed in words}
    close = get_close_matches(str(word).lower(), words, n=1, cutoff=0.6)
    return f"Did you mean {words[close[0]]!r}?" if close else f"Choose one of: {', '.join(words.values())}."


def one_of(option, word, words):
    "`word` when it is one of `words`; else an OptionError that names the option and the nearest valid word."
    if word not in words:
        raise OptionError(f"{option}: {word!r} is not known. {nearest(word, words)}")
    return word


def listed(words, most=6):
    "'a', 'b' and 3 more: how a message names several things."
    words = [repr(str(word)) for word in words]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")
