from . import millgate_request
