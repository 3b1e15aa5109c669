"""Makes the demo's requests, as they are when they have just been sent."""

from datetime import datetime
from random import Random

from runtime.kinds import Reason, RequestKind
from runtime.models import AgentRequest
from telemetry.demo.cast import Player
from telemetry.demo.model import INTENT_SCHEMA
from telemetry.demo.plan import TurnPlan
from telemetry.demo.take import Stage, Take

_CHANNELS = ("web", "app", "mail")
_REGIONS = ("eu", "uk", "us")


def cast_request(
    stage: Stage,
    player: Player,
    *,
    plan: TurnPlan,
    rng: Random,
    at: datetime,
    session_id: str,
    message: str,
    answer: str,
    user: str,
) -> Take:
    """A request that nothing has been written of; the caller says how it was accepted."""
    request = AgentRequest(
        workspace=stage.cast.workspace,
        agent=player.agent,
        agent_version=player.version,
        session_id=session_id,
        message=message,
        user=user,
        metadata={"channel": rng.choice(_CHANNELS), "region": rng.choice(_REGIONS)},
        limits=_limits(plan),
        structured_output=INTENT_SCHEMA if plan.is_structured or plan.end == Reason.INVALID_OUTPUT else None,
        created_by=rng.choice(("token:mash_shop", "token:mash_shop", "ada", "jonas")),
        accepted_at=at,
        run_began_at=at,
    )
    take = Take(stage=stage, request=request, player=player, plan=plan, rng=rng, at=at, answer=answer)
    request.request_id = take.new_id()
    if plan.is_compaction:
        request.kind, request.message = RequestKind.COMPACTION, "[summary checkpoint:manual]"
        request.metadata = {"reason": "manual", "session_total_tokens_reset": 0}
    return take


def _limits(plan: TurnPlan) -> dict[str, float]:
    if plan.end == Reason.MAX_STEPS and plan.calls:
        return {"max_steps": len(plan.calls)}
    if plan.end == Reason.BUDGET:
        return {"max_cost_usd": 0.01}
    return {"deadline_s": 120} if plan.end == Reason.DEADLINE else {}
