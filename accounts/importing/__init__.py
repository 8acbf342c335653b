"""Moving in from the Express server's database: what becomes of each of its rows, and bringing them over."""

from accounts.importing.judging import Choices
from accounts.importing.moving import Move
from accounts.importing.report import Report
from accounts.importing.rows import Kind
from accounts.importing.source import ExpressDatabase, SourceError

__all__ = ["Choices", "ExpressDatabase", "Kind", "Move", "Report", "SourceError"]
