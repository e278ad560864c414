"""Settings: one struct, from the environment and an optional file; nothing misspelt gets in."""

from decimal import Decimal
from pathlib import Path

import pytest

from rag.errors import InvalidSettings
from rag.mistral.chat.completions import DEADLINE as CHAT_DEADLINE
from rag.mistral.connection import IDLE
from rag.mistral.embedding.embedder import DEADLINE as EMBEDDING_DEADLINE
from rag.mistral.ocr.purchases import DEADLINE as OCR_DEADLINE
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
        ("RAG_MISTRAL_BASE_URL", "http://localhost.example.org", "https"),
        ("RAG_MISTRAL_BASE_URL", "http://127.0.0.1.example.org", "https"),
        ("RAG_CHAT_TIMEOUT", "0", "> 0"),
        ("RAG_CHAT_HEADERS", "no colon", "RAG_CHAT_HEADERS holds a line"),
        ("RAG_FETCH_ALLOW", "10.1.2.3/16", "RAG_FETCH_ALLOW holds '10.1.2.3/16'"),
        ("RAG_FETCH_PORTS", "443,http", "int"),
        ("RAG_FETCH_PORTS", "0", ">= 1"),
        ("RAG_FETCH_SECONDS", "0", "> 0"),
        ("RAG_CHAT_INPUT_PRICE", "1", "go together"),
        ("RAG_EMBEDDING_PRICE", "-1", "0 or more"),
        ("RAG_CHAT_MODEL", "gpt-9", "Mistral's is RAG_MISTRAL_CHAT_MODEL"),
        ("RAG_EMBEDDING_DIMENSION", "96", "of the host that RAG_EMBEDDING_BASE_URL names"),
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


def test_what_may_be_fetched_from_is_a_list() -> None:
    said = {"RAG_FETCH_ALLOW": "wiki.corp, 10.1.0.0/16", "RAG_FETCH_PORTS": "443, 9000"}
    settings = load_settings(said)

    assert settings.fetch_allow == ("wiki.corp", "10.1.0.0/16")
    assert settings.fetch_ports == (443, 9000)


def test_limits_of_time_are_the_adapters_own_unless_set() -> None:
    settings = load_settings({"RAG_IDLE_TIMEOUT": "7.5"})

    assert settings.idle_timeout == 7.5
    assert Settings().idle_timeout == IDLE
    assert (settings.ocr_timeout, settings.embedding_timeout) == (OCR_DEADLINE, EMBEDDING_DEADLINE)
    assert settings.chat_timeout == CHAT_DEADLINE


# --- other hosts ---------------------------------------------------------------------------------

AZURE = {
    "RAG_CHAT_BASE_URL": "https://name.openai.azure.com/openai/v1",
    "RAG_CHAT_HEADERS": "api-key: sesame",
    "RAG_CHAT_MODEL": "my-deployment",
}
OLLAMA = {
    "RAG_EMBEDDING_BASE_URL": "http://127.0.0.1:11434",
    "RAG_EMBEDDING_API_KEY": "",
    "RAG_EMBEDDING_MODEL": "bge-m3",
    "RAG_EMBEDDING_DIMENSION": "1024",
    "RAG_EMBEDDING_MAX_TOKENS": "8192",
}


def test_a_role_has_mistrals_host_and_key_unless_it_has_its_own() -> None:
    settings = load_settings({"MISTRAL_API_KEY": "m", **AZURE})

    assert settings.host_of("ocr") == settings.host_of("embedding")
    assert settings.host_of("ocr").api_key == "m"
    chat = settings.host_of("answer")
    assert chat.base_url == "https://name.openai.azure.com/openai"
    assert (chat.api_key, chat.headers) == (None, (("api-key", "sesame"),))
    assert chat.key_setting == "RAG_CHAT_HEADERS"
    assert "sesame" not in repr(settings)


def test_a_host_of_its_own_gives_a_role_to_it_without_mistrals_key() -> None:
    settings = load_settings(OLLAMA)

    assert settings.provider_of("embedding") == "mistral"
    assert settings.host_of("embedding").name == "127.0.0.1:11434"
    assert settings.provider_of("ocr") == settings.provider_of("answer") == "local"
    assert load_settings({**OLLAMA, "RAG_PROVIDER": "local"}).provider_of("embedding") == "local"


def test_mistrals_key_never_goes_to_another_host() -> None:
    without_key = {"RAG_CHAT_BASE_URL": "https://h.example.org", "RAG_CHAT_MODEL": "m"}

    with pytest.raises(InvalidSettings, match="must not get Mistral's key") as refused:
        load_settings({"MISTRAL_API_KEY": "sesame", **without_key})

    assert "RAG_CHAT_API_KEY=" in str(refused.value)
    assert "RAG_CHAT_HEADERS" in str(refused.value)
    headers = {"MISTRAL_API_KEY": "sesame", "RAG_MISTRAL_HEADERS": "X-Proxy: sesame"}
    host = load_settings({**headers, **without_key, "RAG_CHAT_API_KEY": ""}).host_of("answer")
    assert (host.api_key, host.headers) == (None, ())


def test_a_role_may_have_a_key_of_its_own_at_mistral() -> None:
    settings = load_settings({"MISTRAL_API_KEY": "m", "RAG_CHAT_API_KEY": "c"})

    assert settings.host_of("answer").api_key == "c"
    assert settings.host_of("answer").dialect == "mistral"
    assert settings.host_of("answer").account != settings.host_of("ocr").account
    unset = load_settings({"MISTRAL_API_KEY": "m", "RAG_CHAT_API_KEY": ""})
    assert unset.host_of("answer").api_key == "m"


def test_what_is_not_known_of_a_model_elsewhere_is_asked_for_at_once() -> None:
    told = {name: OLLAMA[name] for name in ("RAG_EMBEDDING_BASE_URL", "RAG_EMBEDDING_API_KEY")}

    with pytest.raises(InvalidSettings) as refused:
        load_settings(told)

    for name in ("MODEL", "DIMENSION", "MAX_TOKENS"):
        assert f"RAG_EMBEDDING_{name}" in str(refused.value)


@pytest.mark.parametrize(
    ("url", "key", "may"),
    [
        ("http://vllm:8000/v1", "", True),  # a name of one's own network, and nothing secret
        ("http://10.0.0.7:8000", "", True),
        ("http://vllm:8000/v1", "sesame", False),
        ("http://h.example.org", "", False),
        ("http://8.8.8.8", "", False),
        ("http://[::1]:8000", "sesame", True),
        ("ftp://h.example.org", "sesame", False),
        ("h.example.org", "sesame", False),
    ],
)
def test_nothing_travels_in_the_clear_where_others_may_read_it(
    url: str, key: str, may: bool
) -> None:
    told = {"RAG_CHAT_BASE_URL": url, "RAG_CHAT_API_KEY": key, "RAG_CHAT_MODEL": "m"}

    if may:
        load_settings(told)
    else:
        with pytest.raises(InvalidSettings, match="RAG_CHAT_BASE_URL must start with https"):
            load_settings(told)


def test_a_misspelt_setting_of_a_host_is_told_with_the_right_one() -> None:
    with pytest.raises(InvalidSettings, match="did you mean RAG_CHAT_BASE_URL"):
        load_settings({"RAG_CHAT_BASEURL": "https://h.example.org"})
