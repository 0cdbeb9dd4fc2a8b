"""What goes wrong with a user's input."""


class GenerationError(ValueError):
    """A user's mistake: the command line shows it as one line, without a traceback."""
