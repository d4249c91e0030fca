"""Takes the tasks from a recipe."""

import asyncio

from replan.nodes.contract import DecomposeRequest, DecomposeResult, Use
from replan.nodes.decompose.none import DecomposeNot
from replan.nodes.decompose.recipes import filled, order_of, ordered_in, read_recipe
from replan.state.settings import settings


class DecomposeByRecipe:
    """For work that comes again: tasks, files and checks stand in a recipe, see `recipes`, and no
    model is asked for them. A goal that orders no recipe is the one task.
    """

    async def __call__(self, request: DecomposeRequest, use: Use | None) -> DecomposeResult:
        """The recipe's tasks and checks, with the values of the order.

        Raises:
            SettingError: there is no such recipe, or a value is missing.
        """
        ordered = request.recipe or ordered_in(request.brief.goal)
        if not ordered:
            return await DecomposeNot()(request, None)
        order = order_of(ordered)
        recipe = await asyncio.to_thread(read_recipe, order.recipe, settings().recipes)
        tasks, checks = filled(recipe, order)
        return DecomposeResult(tasks=tasks, checks=checks)
