"""People sign in with their e-mail address; second factors by allauth, object permissions by guardian."""

from genengine.settings import environment as env
from genengine.settings.paths import GE_STATE_DIR

AUTH_USER_MODEL = "workspaces.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True

# Mail: a file each in the state directory until a server is named, so that nothing is lost and nothing is
# sent by accident.
_email_host = env.text("EMAIL_HOST", "", "SMTP server for notices. Unset: mails are written to the state directory.")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if _email_host else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = GE_STATE_DIR / "mail"
EMAIL_HOST = _email_host or "localhost"
EMAIL_PORT = env.integer("EMAIL_PORT", 587, "Port of the SMTP server.", at_least=1, at_most=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "", "User of the SMTP server.")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "", "Password of the SMTP server.", secret=True)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True, "STARTTLS towards the SMTP server.")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Generation Engine <noreply@localhost>", "Sender of notices.")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
