"""Before the installation."""


def keep_records(env_or_cr):
    """Moves external ids of the gateway out of this module's name.

    Odoo deletes, with their records, those external ids under a module's name that are not in its data, when it
    installs or updates the module. Gateways of before wrote `millgate.op_…`; since then it is `__millgate__.op_…`.
    """
    # 16 hands over the cursor, later versions the environment.
    cr = getattr(env_or_cr, "cr", env_or_cr)
    cr.execute(
        "UPDATE ir_model_data SET module = '__millgate__' WHERE module = 'millgate' AND name LIKE 'op\\_%'")
