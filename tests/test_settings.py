"""Settings: one struct, from the environment and an optional file; nothing misspelt gets in."""

from decimal import Decimal
from pathlib import Path

import pytest

from rag.errors import InvalidSettings
from rag.settings import Settings, load_settings


def test_an_empty_environment_gives_the_embedded_service() -> None:
    settings = load_settings({})

    assert settings == Settings()
    assert settings.provider_of("ocr") == "local"
    assert settings.provider_of("embedding") == "local"
    assert settings.provider_of("answer") == "local"


def test_a_key_gives_every_role_to_mistral() -> None:
    settings = load_settings({"MISTRAL_API_KEY": "k"})

    assert settings.provider_of("ocr") == "mistral"
    assert settings.provider_of("answer") == "mistral"


def test_a_role_can_be_kept_local() -> None:
    settings = load_settings({"MISTRAL_API_KEY": "k", "RAG_EMBEDDING_PROVIDER": "local"})

    assert settings.provider_of("embedding") == "local"
    assert settings.provider_of("ocr") == "mistral"


def test_the_key_is_never_shown() -> None:
    assert "sesame" not in repr(load_settings({"MISTRAL_API_KEY": "sesame"}))


def test_headers_are_lines_as_curl_takes_them_and_never_shown() -> None:
    settings = load_settings({"RAG_MISTRAL_HEADERS": "X-Proxy: sesame\nX-Team: a:b"})

    assert settings.mistral_headers == {"X-Proxy": "sesame", "X-Team": "a:b"}
    assert "sesame" not in repr(settings)


def test_a_budget_is_an_exact_number_of_dollars() -> None:
    assert load_settings({"RAG_BUDGET_DAY": "0.10"}).budget_day == Decimal("0.10")


def test_a_misspelt_setting_is_refused_with_the_right_one_and_all_valid_ones() -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings({"RAG_DATA_DRI": "/tmp/x"})

    assert "did you mean RAG_DATA_DIR?" in str(refused.value)
    assert "RAG_MISTRAL_BASE_URL" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RAG_PORT", "http", "int"),
        ("RAG_PORT", "70000", "65535"),
        ("RAG_PROVIDER", "openai", "Invalid enum value"),
        ("RAG_WORKERS", "0", ">= 1"),
        ("RAG_HOST", "0.0.0.0", "has no keys"),
        ("RAG_PROVIDER", "mistral", "MISTRAL_API_KEY is not set"),
        ("RAG_MISTRAL_BASE_URL", "http://example.org", "https"),
        ("RAG_MISTRAL_HEADERS", "no colon", "Name: value"),
        ("RAG_BUDGET_DAY", "-1", "0 or more"),
        ("RAG_BUDGET_JOB", "NaN", "0 or more"),
        ("RAG_BUDGET_JOB", "much", "Invalid decimal"),
    ],
)
def test_an_impossible_setting_is_refused_in_words(name: str, value: str, said: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings({name: value})

    assert said in str(refused.value)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "rag.toml"
    file.write_text('port = 9000\ndata_dir = "elsewhere"\n')

    settings = load_settings({"RAG_SETTINGS_FILE": str(file), "RAG_PORT": "9001"})

    assert (settings.port, settings.data_dir) == (9001, "elsewhere")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"absent\.toml"):
        load_settings({"RAG_SETTINGS_FILE": str(tmp_path / "absent.toml")})


def test_hosts_are_a_list() -> None:
    settings = load_settings({"RAG_ALLOWED_HOSTS": "rag.example.org, search.local"})

    assert settings.allowed_hosts == ("rag.example.org", "search.local")
