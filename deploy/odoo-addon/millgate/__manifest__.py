{
    "name": "Millgate",
    "version": "1.0.0",
    "summary": "Requests of the Millgate gateway, each carried out once and in one transaction",
    # Else Odoo takes README.md for reStructuredText, and logs what is wrong with it.
    "description": "What the gateway asks for is carried out once, however often it asks. See README.md.",
    "author": "Millgate",
    "license": "Other OSI approved licence",
    "category": "Technical",
    "depends": ["base"],
    "data": ["security/millgate_groups.xml", "security/ir.model.access.csv"],
    "pre_init_hook": "keep_records",
    "installable": True,
    "application": False,
}
