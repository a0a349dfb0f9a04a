"""Why an image cannot be read, in words for a person: what a decoder's exception and the file's first bytes tell."""
from pathlib import Path

from PIL import Image, UnidentifiedImageError


class UnusableImageError(ValueError):
    "An image that is refused for a reason which its text says in full."


OWN_MARKS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
OTHER_MARKS = ((b"<!doctype html", "HTML"), (b"<html", "HTML"), (b"<svg", "SVG"), (b"<?xml", "XML"), (b"%pdf", "PDF"),
               (b"pk\x03\x04", "a ZIP archive"), (b"\x1f\x8b", "a gzip archive"), (b"8bps", "a Photoshop file"),
               (b"version https://git-lfs", "a Git LFS pointer, not yet fetched"))
HEIC_MARKS = (b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1", b"avif", b"avis")


def name_of(source):
    "How an error names the source of an image."
    if isinstance(source, str | Path):
        return str(source)
    told = getattr(source, "name", None) or getattr(source, "filename", None)
    return str(told) if told else f"image given as {type(source).__name__}"


def reason_for(source, error, formats, cap):
    "What a decoder's exception means, in words for a person, without the source's name."
    if isinstance(source, str | Path) and (reason := _reason_of_path(Path(source), error)):
        return reason
    if isinstance(error, UnusableImageError):
        return str(error)
    head = _head(source)
    if head == b"":
        return "the file is empty (0 bytes)"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than the {cap // 1_000_000} million pixels that are allowed"
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(error, UnidentifiedImageError):
        if head and (head.startswith(OWN_MARKS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")):
            return "the image is cut off or damaged near its beginning"
        return f"not an image that can be read{_looks_like(head)}; allowed are {', '.join(formats)}"
    said = str(error).strip()
    if "truncated" in said.lower() or isinstance(error, EOFError):
        return "the image is cut off (truncated)"
    if "decoder object" in said:  # all that Pillow says of a WebP that is not whole
        return "the image is cut off or damaged"
    return f"the image is damaged ({said or type(error).__name__})"


def _reason_of_path(path, error):
    "What is wrong with the path itself, or None."
    try:
        if path.is_symlink() and not path.exists():
            return "a broken link: what it points to is not there"
        if not path.exists():
            return "no such file"
        if path.is_dir():
            return "a folder, not an image"
    except (OSError, ValueError) as problem:
        return f"not a path that can be opened ({getattr(problem, 'strerror', None) or problem})"
    return "permission denied" if isinstance(error, PermissionError) else None


def _head(source):
    "The first bytes of the source, or None where it has none."
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source[:512])
    if not isinstance(source, str | Path):
        return None
    try:
        with open(source, "rb") as file:
            return file.read(512)
    except (OSError, ValueError):
        return None


def _looks_like(head):
    "What the first bytes say that the file is instead."
    if not head:
        return ""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for mark, kind in OTHER_MARKS:
        if text.startswith(mark):
            return f" (its content is {kind})"
    if head[4:8] == b"ftyp":
        return " (its content is HEIC or AVIF)" if head[8:12] in HEIC_MARKS else " (its content is a video)"
    if set(head) == {0}:
        return " (its content is all zeros)"
    return " (its content is text)" if _is_text(head) else ""


def _is_text(head):
    "Whether bytes are UTF-8 (cut anywhere) without control characters."
    text = head.decode("utf-8", "ignore")
    return len(text.encode()) >= len(head) - 3 and all(letter >= " " or letter in "\t\r\n\f" for letter in text)
