"""What can go wrong with workflows and their runs (contract 2.1)."""

from workspaces.errors import MashError


class WorkflowNotFound(MashError):
    """Also for a run that is not there, or is another workflow's."""

    code = "WORKFLOW_NOT_FOUND"
    status = 404


class WorkflowDuplicateRun(MashError):
    """The dedup key is that of an unfinished run, which `details.run_id` names."""

    code = "WORKFLOW_DUPLICATE_RUN"
    status = 409


class WorkflowDisabled(MashError):
    code = "WORKFLOW_DISABLED"
    status = 409


class TooDeep(MashError):
    """Workflows that run workflows, too many above each other."""

    code = "WORKFLOW_TOO_DEEP"
    status = 409


class ScheduleExists(MashError):
    code = "SCHEDULE_EXISTS"
    status = 409


class ScheduleNotFound(MashError):
    code = "SCHEDULE_NOT_FOUND"
    status = 404


class HookNotFound(MashError):
    code = "HOOK_NOT_FOUND"
    status = 404


class HookExists(MashError):
    code = "HOOK_EXISTS"
    status = 409


class EndpointNotFound(MashError):
    """Also for a delivery that is not there, or is another endpoint's."""

    code = "WEBHOOK_NOT_FOUND"
    status = 404


class EndpointExists(MashError):
    code = "WEBHOOK_EXISTS"
    status = 409


class DatasetNotFound(MashError):
    code = "DATASET_NOT_FOUND"
    status = 404


class ExperimentNotFound(MashError):
    code = "EXPERIMENT_NOT_FOUND"
    status = 404


class DatasetExists(MashError):
    code = "DATASET_EXISTS"
    status = 409


class DatasetEmpty(MashError):
    code = "DATASET_EMPTY"
    status = 409


class ExperimentExists(MashError):
    code = "EXPERIMENT_EXISTS"
    status = 409


class RunEnded(MashError):
    code = "WORKFLOW_RUN_ENDED"
    status = 409


class StepNotFound(MashError):
    """There is no such step at the top of the workflow, or the run has not come that far."""

    code = "WORKFLOW_STEP_NOT_FOUND"
    status = 422


class ExperimentsDiffer(MashError):
    """Two experiments that asked different questions have nothing to be compared by."""

    code = "EXPERIMENTS_DIFFER"
    status = 409
