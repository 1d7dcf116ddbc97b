from . import models
from .hooks import keep_records
