"""The right document for questions in other words, in English and Chinese."""

from pathlib import Path

from documents_asked import ask_all, write_documents

from replan.models.embeddings import choose_embedder
from replan.storage.database import Database


async def test_the_right_document_is_found(database: Database, tmp_path: Path) -> None:
    assert write_documents(tmp_path) >= 60
    asked = await ask_all(tmp_path, database, choose_embedder())
    assert len(asked) == 20
    missed = [(one.question, one.answer, one.found) for one in asked if not one.right]
    assert len(asked) - len(missed) >= 18, missed
    assert all(one.answer in one.found[:3] for one in asked), missed


async def test_words_alone_would_not_do(database: Database, tmp_path: Path) -> None:
    """The questions are hard: without the embedding model most of them fail."""
    write_documents(tmp_path)
    asked = await ask_all(tmp_path, database, None)
    assert sum(one.right for one in asked) < 10
