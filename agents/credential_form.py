"""The form of a provider credential, for the admin and the pages: a key goes in and never comes out again."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.core.validators import RegexValidator
from typing_extensions import override

from agents.models import ProviderCredential

if TYPE_CHECKING:
    CredentialModelForm = forms.ModelForm[ProviderCredential]
else:
    CredentialModelForm = forms.ModelForm

_ADDRESS = ("kind", "base_url")


class CredentialForm(CredentialModelForm):
    base_url = forms.URLField(
        required=False,
        max_length=200,
        assume_scheme="https",
        label="Base URL",
        validators=[RegexValidator(r"^https?://", "Start with http:// or https://.")],
        help_text="Empty: the vendor's own address. The key is sent there, so another address needs the key again.",
    )
    key = forms.CharField(
        required=False,
        max_length=1000,
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
    )

    class Meta:
        model = ProviderCredential
        fields = ("workspace", "name", "kind", "base_url")
        help_texts = {"name": "By this name agents choose it; renaming it leaves them without."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            help_text = "Stored encrypted and never shown again. Empty: the stored key stays."
        else:
            help_text = "Stored encrypted and never shown again."
        if "key" in self.fields:
            self.fields["key"].help_text = help_text

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not (key.isascii() and (not key or key.isprintable())):
            raise forms.ValidationError("The key holds characters that no HTTP header can carry.")
        return key

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        if "@" in urlsplit(url).netloc:
            raise forms.ValidationError("Give the key below, and no user name or password in the URL.")
        return url

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("key") or "key" in self.errors:
            return values
        if not self.instance.pk:
            if values.get("kind") != ProviderCredential.Kind.OPENAI_CHAT or not values.get("base_url"):
                self.add_error("key", "Enter the key.")
        elif set(_ADDRESS) & set(self.changed_data):
            self.add_error("key", "The key belongs to its address: enter it again for the new one.")
        return values
