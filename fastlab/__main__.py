"""The command `fastlab`, and `python -m fastlab`: ready for Ctrl-C before anything large is imported."""
import os
import signal
import sys


def stop(number, frame):
    """Ctrl-C: KeyboardInterrupt, as ever; but in the middle of an import, where nothing has begun yet, and where C++
    that is being loaded would abort on an exception, the process ends at once."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os.write(2, b"\nStopped.\n")
            os._exit(130)
        frame = frame.f_back
    raise KeyboardInterrupt


def main():
    "Runs the command line; the end of the program itself is not interrupted any more."
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:   # and not ignored, as in a background job
        signal.signal(signal.SIGINT, stop)
    from fastlab.cli import main as command
    try:
        command()
    except KeyboardInterrupt:       # before the command's own care for it
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
