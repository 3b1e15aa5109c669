"""Skills in the admin: every change is a version, errors stand at their fields."""

import pytest
from django.urls import reverse

from agents.models import WorkspaceSkill
from agents.workspace_skills import MAX_TEXT_CHARACTERS
from tests.admin.conftest import SignIn
from tests.admin.test_agent_form import entered as entered_agent
from tests.factories import SkillFactory
from workspaces.models import AuditEntry
from workspaces.roles import Role

ADD = "admin:agents_workspaceskill_add"


@pytest.fixture
def developer(sign_in: SignIn):
    return sign_in(Role.DEVELOPER)


def entered(**values: object) -> dict[str, object]:
    texts = {"name": "refunds", "description": "How to refund", "text": "Say yes.\r\nBe kind.", "note": ""}
    return {**texts, "is_enabled": "on", **values}


def page(skill: WorkspaceSkill, name: str = "change") -> str:
    return reverse(f"admin:agents_workspaceskill_{name}", args=[skill.pk])


def test_a_skill_is_made_and_changed_in_versions(developer, workspace):
    assert developer.post(reverse(ADD), entered(workspace=workspace.pk)).status_code == 302
    skill = workspace.skills.get()
    assert skill.current_version.text == "Say yes.\nBe kind."
    developer.post(page(skill), entered(text="Say no.", note="Stricter", name="renamed"))
    developer.post(page(skill), entered(text="Say no."))
    skill.refresh_from_db()
    assert (skill.name, skill.current_version.number, skill.current_version.note) == ("refunds", 2, "Stricter")
    assert skill.current_version.author.pk == int(developer.session["_auth_user_id"])
    shown = developer.get(page(skill)).content.decode()
    assert "Say no." in shown
    assert (
        list(AuditEntry.rows.filter(action="skill.changed").values_list("details", flat=True)).count({"version": 2})
        == 1
    )


def test_going_back_makes_a_new_version(developer, workspace):
    skill = SkillFactory.create(workspace=workspace, content={"text": "One.\n"})
    developer.post(page(skill), entered(text="Two."))
    history = developer.get(page(skill, "versions")).content.decode()
    assert '<span class="removed">-One.' in history
    assert '<span class="added">+Two.' in history
    back = reverse("admin:agents_workspaceskill_restore", args=[skill.pk, 1])
    assert developer.post(back, follow=True).status_code == 200
    skill.refresh_from_db()
    assert (skill.current_version.number, skill.current_version.text) == (3, "One.\n")
    missing = reverse("admin:agents_workspaceskill_restore", args=[skill.pk, 99])
    assert developer.post(missing).status_code == 404


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": "No Spaces"}),
        ("name", {"name": "../up"}),
        ("name", {"name": ""}),
        ("name", {"name": "x" * 65}),
        ("description", {"description": ""}),
        ("description", {"description": "x" * 1001}),
        ("text", {"text": " \r\n"}),
        ("text", {"text": "x" * (MAX_TEXT_CHARACTERS + 1)}),
    ],
)
def test_a_wrong_value_is_told_at_its_field(developer, workspace, field, wrong):
    answer = developer.post(reverse(ADD), entered(workspace=workspace.pk, **wrong))
    assert field in answer.context["adminform"].form.errors
    assert not workspace.skills.exists()


def test_a_name_is_unique_in_its_workspace(developer, workspace, other_workspace):
    SkillFactory.create(workspace=other_workspace, name="refunds")
    assert developer.post(reverse(ADD), entered(workspace=workspace.pk)).status_code == 302
    assert developer.post(reverse(ADD), entered(workspace=workspace.pk)).status_code == 200


def test_a_viewer_reads_and_changes_nothing(sign_in: SignIn, workspace):
    skill, viewer = SkillFactory.create(workspace=workspace), sign_in(Role.VIEWER)
    assert "Do as" in viewer.get(page(skill)).content.decode()
    assert viewer.post(page(skill), entered(text="Mine.")).status_code == 403
    assert viewer.post(reverse("admin:agents_workspaceskill_restore", args=[skill.pk, 1])).status_code == 403
    assert "Back to version" not in viewer.get(page(skill, "versions")).content.decode()


def test_a_skill_can_be_removed(developer, workspace):
    skill = SkillFactory.create(workspace=workspace)
    assert developer.post(page(skill, "delete"), {"post": "yes"}).status_code == 302
    assert not workspace.skills.exists()
    assert AuditEntry.rows.filter(action="skill.removed", target=skill.name).exists()


def test_an_agent_can_name_only_skills_that_are_there(developer, workspace, other_workspace):
    SkillFactory.create(workspace=other_workspace, name="theirs")
    SkillFactory.create(workspace=workspace, name="ours")
    values = entered_agent(workspace=workspace.pk, skills_enabled="on")
    answer = developer.post(reverse("admin:agents_agent_add"), {**values, "skills": "ours\ntheirs"})
    assert "theirs" in str(answer.context["adminform"].form.errors["skills"])
    assert developer.post(reverse("admin:agents_agent_add"), {**values, "skills": "ours"}).status_code == 302
