"""Sixty-odd documents and twenty questions that share few words with their answers."""

from dataclasses import dataclass
from pathlib import Path

from replan.state.embedding import Embedder
from replan.storage.database import Database
from replan.storage.document_index import open_document_index
from replan.tools.documents.chunks import words
from replan.tools.documents.indexing import made_by, refresh

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Asked:
    """A question, the document that answers it, and those found, best first."""

    question: str
    answer: str
    found: list[str]

    @property
    def right(self) -> bool:
        """Whether the first one found is the one that answers."""
        return self.found[:1] == [self.answer]


def write_documents(folder: Path) -> int:
    """Writes the documents into a folder; says how many."""
    lines = (DATA / "documents.txt").read_text(encoding="utf-8").splitlines()
    for path, text in zip(lines[::2], lines[1::2], strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"{text}\n", encoding="utf-8")
    return len(lines) // 2


async def ask_all(folder: Path, database: Database, embedder: Embedder | None) -> list[Asked]:
    """Index the folder and ask every question."""
    lines = (DATA / "questions.txt").read_text(encoding="utf-8").splitlines()
    asked = []
    async with open_document_index(database, str(folder), made_by(embedder)) as index:
        await refresh(index, folder, embedder, 600)
        for line in lines:
            question, answer = line.split("\t")
            meaning = (await embedder.embed([question], "query"))[0] if embedder else None
            hits = await index.search(words(question), meaning, 5)
            asked.append(Asked(question, answer, list(dict.fromkeys(hit.path for hit in hits))))
    return asked
