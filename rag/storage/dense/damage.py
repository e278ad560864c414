"""What is raised instead of believing a file."""


class SegmentDamaged(Exception):
    """A file is missing, cut, altered, or another's. The rows are in SQL: answer from there."""

    def __init__(self, segment: str, reason: str) -> None:
        super().__init__(f"segment {segment}: {reason}")
        self.segment = segment
        self.reason = reason
