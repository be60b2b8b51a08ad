import pytest

from pyproxy.models.name import Unreadable
from pyproxy.models.place import query_model
from pyproxy.providers.azure_openai import azure_model
from pyproxy.providers.gemini import gemini_model

VERTEX = b"/v1/projects/p-1/locations/europe-west4/publishers/google/models/"


@pytest.mark.parametrize(
    ("path", "model"),
    [
        pytest.param(b"/v1beta/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", id="ask"),
        pytest.param(b"/v1/models/gemini-2.5-pro:streamGenerateContent", "gemini-2.5-pro", id="v1"),
        pytest.param(b"/v1beta/models/gemini-2.5-pro", "gemini-2.5-pro", id="about one model"),
        pytest.param(b"/v1beta/models/g/operations/7", "g", id="an operation of it"),
        pytest.param(b"/v1beta/tunedModels/mine-7:generateContent", "mine-7", id="tuned"),
        pytest.param(VERTEX + b"gemini-2.5-pro:countTokens", "gemini-2.5-pro", id="Vertex"),
        pytest.param(VERTEX + b"claude-3@20240229:rawPredict", "claude-3@20240229", id="version"),
        pytest.param(b"/v1beta/models/gemini%2D2%2e5:generateContent", "gemini-2.5", id="escaped"),
        pytest.param(b"/v1beta/models/g%3AgenerateContent", "g", id="escaped colon"),
        pytest.param(b"/v1beta/mod%65ls/g:generateContent", "g", id="escaped collection"),
        pytest.param(b"/v1beta/Models/g:generateContent", "g", id="collection in other case"),
        pytest.param(b"/v1beta//models//g:generateContent", "g", id="empty segments"),
        pytest.param(b"/v1beta/models/g:x/models/g:x", "g", id="the same twice"),
        pytest.param(b"/v1beta/dynamic/d-1:generateContent", "d-1", id="what generates itself"),
        pytest.param(b"/v1/projects/p/locations/l/endpoints/7:predict", "7", id="endpoint"),
        pytest.param(
            b"/v1/projects/p/locations/l/endpoints/openapi/chat/completions", None, id="OpenAPI"
        ),
        pytest.param(b"/v1beta/models", None, id="list"),
        pytest.param(b"/v1beta/models/", None, id="list with a slash"),
        pytest.param(b"/v1beta/openai/chat/completions", None, id="OpenAI's dialect"),
        pytest.param(b"/v1beta/cachedContents", None, id="another collection"),
        pytest.param(b"/", None, id="root"),
    ],
)
def test_gemini_names_the_model_in_the_path(path, model):
    assert gemini_model(path) == model


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/v1beta/models/g%2541:generateContent", id="escaped twice"),
        pytest.param(b"/v1beta/mod%2565ls/g:generateContent", id="collection escaped twice"),
        pytest.param(b"/v1beta/models/g%zz:generateContent", id="broken escape"),
        pytest.param(b"/v1beta/models/a%2Fb:generateContent", id="escaped slash"),
        pytest.param(b"/v1beta/models%2Fg:generateContent", id="escaped slash before the name"),
        pytest.param(b"/v1beta/models/a\\b:generateContent", id="backslash"),
        pytest.param(b"/v1beta/models/a;b:generateContent", id="parameter"),
        pytest.param(b"/v1beta/models/a%3fb:generateContent", id="escaped question mark"),
        pytest.param(b"/v1beta/models/a%23b:generateContent", id="escaped fragment"),
        pytest.param(b"/v1beta/models/a%00b:generateContent", id="NUL"),
        pytest.param(b"/v1beta/models/a%20:generateContent", id="space"),
        pytest.param("/v1beta/models/g\u00e9:x".encode(), id="no ASCII"),
        pytest.param(b"/v1beta/models/a:b:generateContent", id="two colons"),
        pytest.param(b"/v1beta/models/:generateContent", id="no name"),
        pytest.param(b"/v1beta/models/a:x/models/b:x", id="two models"),
        pytest.param(b"/v1beta/tunedModels/models/a:x", id="a collection for a name"),
        pytest.param(b"/v1beta/models/" + b"g" * 257 + b":x", id="too long"),
    ],
)
def test_a_path_that_servers_read_differently_is_refused(path):
    with pytest.raises(Unreadable):
        gemini_model(path)


@pytest.mark.parametrize(
    ("path", "model"),
    [
        pytest.param(b"/openai/deployments/my-4o/chat/completions", "my-4o", id="chat"),
        pytest.param(b"/openai/deployments/my_4.1/realtime", "my_4.1", id="realtime"),
        pytest.param(b"/OpenAI/Deployments/my-4o/embeddings", "my-4o", id="other case"),
        pytest.param(b"/openai/deployments", None, id="list"),
        pytest.param(b"/openai/v1/chat/completions", None, id="v1"),
        pytest.param(b"/openai/v1/models/gpt-4o", None, id="no deployment"),
    ],
)
def test_azure_names_the_deployment_in_the_path(path, model):
    assert azure_model(path) == model


def test_two_deployments_are_refused():
    with pytest.raises(Unreadable):
        azure_model(b"/openai/deployments/a/deployments/b")


@pytest.mark.parametrize(
    ("query", "names", "model"),
    [
        pytest.param(b"model=gpt-realtime", {"model"}, "gpt-realtime", id="OpenAI"),
        pytest.param(b"api-version=1&deployment=rt", {"model", "deployment"}, "rt", id="Azure"),
        pytest.param(b"model_id=eleven_v3&x=1", {"model_id"}, "eleven_v3", id="ElevenLabs"),
        pytest.param(b"mod%65l=gpt%2D4o", {"model"}, "gpt-4o", id="escaped"),
        pytest.param(b"model=ft:a:b::c", {"model"}, "ft:a:b::c", id="colons"),
        pytest.param(b"model=org/m", {"model"}, "org/m", id="slash"),
        pytest.param(b"model=a&model=a", {"model"}, "a", id="the same twice"),
        pytest.param(b"model=a&deployment=a", {"model", "deployment"}, "a", id="both names"),
        pytest.param(b"model=a", {"model_id"}, None, id="another parameter"),
        pytest.param(b"call_id=7", {"model"}, None, id="none"),
        pytest.param(b"a=1;b=2&model=a", {"model"}, "a", id="semicolon elsewhere"),
        pytest.param(b"a=%25&b=x+y&%ff=1", {"model"}, None, id="anything elsewhere"),
        pytest.param(b"", {"model"}, None, id="empty"),
    ],
)
def test_a_query_names_the_model(query, names, model):
    assert query_model(query, names) == model


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"model=a&model=b", id="two models"),
        pytest.param(b"model=a&mod%65l=b", id="two models, one escaped"),
        pytest.param(b"model=a&Model=b", id="two models, one in other case"),
        pytest.param(b"Model=a", id="other case"),
        pytest.param(b"model[]=a", id="a list for PHP"),
        pytest.param(b"model%00=a", id="NUL in the name"),
        pytest.param(b"+model=a", id="space in the name"),
        pytest.param(b"mod%2565l=a", id="name escaped twice"),
        pytest.param(b"model=%2561", id="value escaped twice"),
        pytest.param(b"model=%zz", id="broken escape"),
        pytest.param(b"model=a+b", id="plus"),
        pytest.param(b"model=a%2Bb", id="escaped plus"),
        pytest.param(b"model=a%20", id="space"),
        pytest.param(b"model=a%26model=b", id="escaped ampersand"),
        pytest.param(b"model=%c3%a9", id="no ASCII"),
        pytest.param(b"x=1;model=a", id="behind a semicolon"),
        pytest.param(b"model=a;x=1", id="before a semicolon"),
        pytest.param(b"model=", id="no value"),
        pytest.param(b"model", id="no value and no sign"),
        pytest.param(b"model=" + b"a" * 257, id="too long"),
    ],
)
def test_a_query_that_servers_read_differently_is_refused(query):
    with pytest.raises(Unreadable):
        query_model(query, {"model"})
