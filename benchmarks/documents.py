"""How many of twenty paraphrased questions find the right document first, and how fast.

    .venv/bin/python benchmarks/documents.py

Prints a line for words alone and one for words and meaning, and every question that failed.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from documents_asked import ask_all, write_documents

from replan.models.embeddings import choose_embedder
from replan.storage.database import open_database


async def measure() -> None:
    """Index and ask, once without and once with the embedding model."""
    database = await open_database()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write_documents(folder)
        for embedder in (None, choose_embedder()):
            began = time.monotonic()
            asked = await ask_all(folder, database, embedder)
            seconds = time.monotonic() - began
            right = sum(one.right for one in asked)
            kind = embedder.name if embedder else "words alone"
            print(f"{kind}: {right} of {len(asked)} first, {count} documents, {seconds:.1f} s")
            for one in asked:
                if not one.right:
                    print(f"  {one.question}\n    wanted {one.answer}, found {one.found}")


if __name__ == "__main__":
    asyncio.run(measure())
