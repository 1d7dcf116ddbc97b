import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import book
from .. import program as language
from ..exceptions import (
    DecisionWanted, ExpectationFailed, LoadFailed, LoadRefused, ProgramInvalid, RequestClosed, RequestMismatch,
    RequestTorn)

# Odoo has moved these: what a version has decides, not its number.
try:
    # saas-18.1 and later
    from odoo.service.model import call_kw
except ImportError:
    # 16 to 18
    from odoo.api import call_kw
try:
    # 18 and later
    from odoo.service.model import get_public_method
except ImportError:
    get_public_method = None
try:
    # 16 to 18
    from odoo.models import check_method_name
except ImportError:
    check_method_name = None

if get_public_method is None and check_method_name is None:
    raise ImportError("this Odoo does not say which methods may be called from outside")

GROUP = "millgate.group_gateway"
DAYS_PARAMETER = "millgate.request_days"
DAYS_DEFAULT, DAYS_MIN = 90, 7


class MillgateRequest(models.Model):
    _name = "millgate.request"
    _description = "Request of the gateway"
    _order = "id desc"
    _rec_name = "request_id"

    request_id = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(readonly=True)
    state = fields.Selection(
        [("begun", "Begun"), ("done", "Done"), ("closed", "Closed")], required=True, readonly=True)
    result = fields.Text(readonly=True)

    def init(self):
        # In SQL, because `_sql_constraints` is gone in 19 and `models.Constraint` is not there before.
        book.create_index(self.env.cr)

    # What the gateway calls

    @api.model
    def about(self):
        """What is installed here."""
        self._millgate_check_user()
        return {
            "version": language.VERSION, "protocol": language.PROTOCOL, "days": self._millgate_days(),
            "steps_max": language.STEPS_MAX,
        }

    @api.model
    def perform(self, request_id, program):
        """Carries out a program once, in this transaction. Called again it answers what came of it."""
        self._millgate_check_user()
        try:
            language.check(request_id, program)
            mark = language.fingerprint(program)
            row, stored = book.claim(self.env.cr, request_id, mark, self.env.uid)
            if stored is not None:
                return self._millgate_again(stored, mark)
            results = []
            for step in program:
                results.append(self._millgate_step(step, results))
        except language.Invalid as error:
            raise ProgramInvalid(str(error)) from None
        book.finish(self.env.cr, row, json.dumps(results))
        return {"results": results, "again": False}

    @api.model
    def close(self, request_id):
        """Sees to it that a request that was not carried out never is. Answers the results where it was."""
        self._millgate_check_user()
        try:
            language.check(request_id, [{"call": {"model": "", "method": ""}}])
        except language.Invalid as error:
            raise ProgramInvalid(str(error)) from None
        _row, stored = book.claim(self.env.cr, request_id, "", self.env.uid, state=book.CLOSED)
        if stored is None or stored.state == book.CLOSED:
            return {"closed": True}
        return dict(self._millgate_again(stored, stored.fingerprint), closed=False)

    # Inside

    def _millgate_check_user(self):
        if not self.env.user.has_group(GROUP):
            raise AccessError("Only members of the group 'Millgate gateway' may do this.")

    def _millgate_again(self, stored, mark):
        if stored.user != self.env.uid:
            raise RequestMismatch("This request is another user's.")
        if stored.state == book.CLOSED:
            raise RequestClosed("This request was closed before it came.")
        if stored.fingerprint != mark:
            raise RequestMismatch("This id was used for another request.")
        if stored.state != book.DONE:
            raise RequestTorn("This request was committed before its end.")
        return {"results": json.loads(stored.result), "again": True}

    def _millgate_step(self, step, results):
        if "expect" in step:
            self._millgate_expect(step["expect"], step.get("why") or "", results)
            return True
        result = language.as_json(self._millgate_call(step["call"], results))
        # As between two calls: everything is in the database, and nothing is remembered.
        self.env.flush_all()
        self.env.invalidate_all()
        if step["call"]["method"] == "load" and isinstance(result, dict) and not result.get("ids"):
            errors = [each for each in result.get("messages") or [] if each.get("type") == "error"]
            text = "\n".join(str(each.get("message") or "") for each in errors)
            raise (LoadRefused if any(each.get("field") for each in errors) else LoadFailed)(text)
        # A wizard is a window on top of another; windows beside it, reports and notes come with what was done.
        if step.get("no_wizard") and isinstance(result, dict) and result.get("target") == "new":
            if result.get("type") == "ir.actions.act_window":
                raise DecisionWanted(result.get("res_model") or "")
        return result

    def _millgate_model(self, name):
        if name == self._name:
            raise ProgramInvalid("A request cannot call requests.")
        if name not in self.env:
            raise UserError("Object %s doesn't exist" % name)
        return self.env[name]

    def _millgate_call(self, call, results):
        model, method = self._millgate_model(call["model"]), call["method"]
        # What RPC asks before it calls: this is no other door.
        if check_method_name is not None:
            check_method_name(method)
        if get_public_method is not None:
            get_public_method(model, method)
        elif not callable(getattr(type(model), method, None)):
            raise AttributeError("The method '%s' does not exist on the model '%s'" % (method, call["model"]))
        arguments = language.resolve(call.get("args") or [], results)
        if "ids" in call:
            arguments = [language.ids_of(language.resolve(call["ids"], results))] + arguments
        named = language.resolve(call.get("kwargs") or {}, results)
        named["context"] = dict(self.env.context, **language.resolve(call.get("context") or {}, results))
        return call_kw(model, method, arguments, named)

    def _millgate_expect(self, expect, why, results):
        model = self._millgate_model(expect["model"])
        ids = sorted(set(language.ids_of(language.resolve(expect["ids"], results))))
        where = language.resolve(expect["where"], results)
        if not ids:
            return
        records = model.browse(ids)
        # As the user may read them, before anything is locked.
        names = language.fields_of(where)
        self._millgate_read(records, names, why)
        book.lock(self.env.cr, model._table, ids)
        self.env.invalidate_all()
        if not all(language.holds(where, record) for record in self._millgate_read(records, names, why)):
            raise ExpectationFailed(why)

    def _millgate_read(self, records, names, why):
        found = records.read(names or ["id"])
        if len(found) != len(records):
            raise ExpectationFailed(why)
        return found

    # Housekeeping

    @api.model
    def _millgate_days(self):
        text = self.env["ir.config_parameter"].sudo().get_param(DAYS_PARAMETER) or ""
        return max(int(text), DAYS_MIN) if text.isdigit() else DAYS_DEFAULT

    @api.autovacuum
    def _gc_millgate_requests(self):
        book.prune(self.env.cr, self._millgate_days())
