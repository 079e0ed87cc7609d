"""The application that the HTTP process loads."""

import os

from scripted_app import app_of

app = app_of("lightllm", os.environ["LIGHTLLM_MODEL_NAME"])
