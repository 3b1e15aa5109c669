"""`AskUser`: a question from the model to a person. A schema without a body: the runtime asks (extensions 5)."""

from agents.tools.base import Tool

ASK_USER = "AskUser"


class AskUserTool(Tool):
    """With options the person picks among them, without they write; either way the answer is the tool's result."""

    name = ASK_USER
    description = (
        "Ask the person you work for a question, and wait for the answer. Use it when something only they can decide or know "
        "is missing. Give options when the possible answers are few."
    )
    parameters = {
        "type": "object",
        "properties": {
            "question": {"type": "string", "minLength": 1, "description": "What to ask, in one or two sentences."},
            "options": {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": 200},
                "maxItems": 20,
                "description": "The answers to choose from. Leave out for a free answer.",
            },
        },
        "required": ["question"],
    }
