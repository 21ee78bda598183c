"""djangorestframework-simplejwt in one file: python3 simplejwt.py DATABASE PORT LIFETIME. Prints its port when it listens."""
import json
import sys
from datetime import timedelta
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

# This folder is no place to import from: a file in it is named like Django.
sys.path.pop(0)

import django  # noqa: E402
from django.conf import settings  # noqa: E402

database, port, lifetime = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="only the tests have it",
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework_simplejwt.token_blacklist"],
    # Only so that a sign-in takes no time.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database, "OPTIONS": {"timeout": 20}}},
    LOGGING_CONFIG=None,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=lifetime),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.serializers import TokenRefreshSerializer  # noqa: E402
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402
from rest_framework_simplejwt.utils import datetime_from_epoch  # noqa: E402
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView  # noqa: E402


class ListingSerializer(TokenRefreshSerializer):
    """Lists rotated refresh tokens as outstanding, too, which 5.2 does not do by itself."""

    def validate(self, attrs):
        data = super().validate(attrs)
        token = RefreshToken(data["refresh"])
        OutstandingToken.objects.create(
            user_id=token["user_id"], jti=token["jti"], token=str(token), expires_at=datetime_from_epoch(token["exp"])
        )
        return data


def revoke_all(_request):
    """All tokens that Django's admin lists, as it does it."""
    for token in OutstandingToken.objects.all():
        BlacklistedToken.objects.get_or_create(token=token)
    return JsonResponse({})


def set_active(request):
    User.objects.filter(username="ada").update(is_active=request.GET["active"] == "true")
    return JsonResponse({})


@api_view()
def me(request):
    return Response({"sub": request.user.username})


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/refresh/listed/", TokenRefreshView.as_view(serializer_class=ListingSerializer)),
    path("api/me", me),
    path("test/revoke", revoke_all),
    path("test/user", set_active),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


call_command("migrate", verbosity=0)
if not User.objects.filter(username="ada").exists():
    User.objects.create_user("ada", password="lovelace")
server = make_server("127.0.0.1", port, get_wsgi_application(), Server, Handler)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
