"""The bench's file: one row for each scenario and gateway, kept until the scenario is measured again."""
import json


def row(scenario, gateway="millgate", **values):
    return {"scenario": scenario, "gateway": gateway, "cpu_us_per_request": None, "instructions_per_request": None,
            "rss_kib": None, **values}


def read(file):
    return json.loads(file.read_text()) if file.exists() else []


def update(file, scenario, gateway, **values):
    """Adds values to a row that is there."""
    everything = read(file)
    for one in everything:
        if (one["scenario"], one["gateway"]) == (scenario, gateway):
            one.update(values)
    file.write_text(json.dumps(everything, indent=1) + "\n")


def merge(file, fresh):
    """Puts rows in the place of those of the same scenario and gateway."""
    known = {(row["scenario"], row["gateway"]) for row in fresh}
    kept = [row for row in read(file) if (row["scenario"], row["gateway"]) not in known]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept + fresh, indent=1) + "\n")
