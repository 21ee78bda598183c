"""django-oauth-toolkit in one file: python3 django.py DATABASE PORT LIFETIME GRACE. Prints its port when it listens."""
import json
import sys
import time
from datetime import timedelta
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

# This folder is no place to import from: this file is named like the package.
sys.path.pop(0)

import django  # noqa: E402
from django.conf import settings  # noqa: E402

database, port, lifetime, grace = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="only the tests have it",
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database, "OPTIONS": {"timeout": 20}}},
    LOGGING_CONFIG=None,
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": lifetime,
        "REFRESH_TOKEN_EXPIRE_SECONDS": 14 * 24 * 3600,
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": grace,
        "SCOPES": {"read": "read"},
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import AccessToken, Application, RefreshToken  # noqa: E402

CLIENT = "spa"


def sign_in(_request):
    """What a login ends with."""
    from django.utils import timezone
    from oauthlib.common import generate_token

    user, application = User.objects.get(username="ada"), Application.objects.get(client_id=CLIENT)
    access = AccessToken.objects.create(
        user=user, application=application, token=generate_token(), scope="read", expires=timezone.now() + timedelta(seconds=lifetime)
    )
    refresh = RefreshToken.objects.create(user=user, application=application, token=generate_token(), access_token=access)
    return JsonResponse({"access_token": access.token, "refresh_token": refresh.token, "expires_in": lifetime, "token_type": "Bearer"})


def revoke_all(_request):
    """Deleted, as in Django's admin: one that is only marked as revoked is still good for the grace period."""
    RefreshToken.objects.all().delete()
    AccessToken.objects.all().delete()
    return JsonResponse({})


@protected_resource()
def me(request):
    return JsonResponse({"sub": request.resource_owner.username})


def slow(request):
    """Looks at the token only when a refresh has had the time to replace it."""
    time.sleep(0.4)
    return me(request)


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("test/sign-in", sign_in),
    path("test/revoke", revoke_all),
    path("api/me", me),
    path("api/slow", slow),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


call_command("migrate", verbosity=0)
user, _ = User.objects.get_or_create(username="ada")
Application.objects.get_or_create(
    client_id=CLIENT,
    defaults={"user": user, "client_type": "public", "authorization_grant_type": "authorization-code", "redirect_uris": "http://localhost/"},
)
server = make_server("127.0.0.1", port, get_wsgi_application(), Server, Handler)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
