"""LangGraph's saver on Postgres, which remembers how the latest checkpoints came to be."""

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from replan.storage.lineage import note_source


class Saver(AsyncPostgresSaver):
    """Writes checkpoints; the nodes of the same process then need not ask where they come from."""

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint; see `AsyncPostgresSaver`."""
        stored = await super().aput(config, checkpoint, metadata, new_versions)
        place = config["configurable"]
        note_source(
            place["thread_id"],
            checkpoint["id"],
            metadata.get("source", ""),
            place.get("checkpoint_ns", ""),
        )
        return stored
