"""What is wrong with a folder of recordings."""


class RecordingError(ValueError):
    """A file is missing, or is not in the format; the text names the file, the field, its value and what is allowed."""
