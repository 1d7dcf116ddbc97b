"""What a request is refused for. The gateway tells them apart by their class, which Odoo's RPC names in `data.name`."""
from odoo.exceptions import UserError


class ProgramInvalid(UserError):
    """The program is none: a fault of whoever wrote it."""


class ExpectationFailed(UserError):
    """A guard found its records otherwise. Everything is rolled back."""


class DecisionWanted(UserError):
    """A method answered with a wizard where none may come. Everything is rolled back."""


class LoadRefused(UserError):
    """`load` answered that a field's value is wrong. Everything is rolled back."""


class LoadFailed(UserError):
    """`load` answered a failure of no field: often contention. Everything is rolled back."""


class RequestMismatch(UserError):
    """This id was used for another program, or by another user."""


class RequestClosed(UserError):
    """This id was closed before it came: it is never carried out."""


class RequestTorn(UserError):
    """A method committed in the middle: nobody knows how much of the program was done."""
