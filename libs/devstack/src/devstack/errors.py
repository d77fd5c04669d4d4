"""What can go wrong when a stack is started, each as one line that says what happened and what to do.

StackError                  exit 1
|-- UsageError              exit 2: the command line or a setting is wrong
|-- PartFailed              a server or service did not come up
|   `-- PortTaken           somebody else listens on the port it was told to use
`-- DataFolderError         the data folder cannot be used
"""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot be started or reached."""

    exit_code = 1


class UsageError(StackError):
    """The command line or a setting is wrong."""

    exit_code = 2


class PartFailed(StackError):
    """A server or service did not come up."""


class PortTaken(PartFailed):
    """Somebody else listens on the port."""


class DataFolderError(StackError):
    """The data folder cannot be used."""
