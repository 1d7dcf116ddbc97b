#!/usr/bin/env bash
# The style of Swift, shell and Python. Says nothing where all is well, but for one line at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict -p -r Sources Tests Package.swift

scripts=(scripts/*.sh .ci/run)
for script in "${scripts[@]}"; do
    bash -n "$script"
    [ -x "$script" ] || { echo "$script: not executable" >&2; exit 1; }
    case $(head -n 1 "$script") in
        '#!/usr/bin/env bash') ;;
        *) echo "$script:1: begin with #!/usr/bin/env bash" >&2; exit 1 ;;
    esac
    grep -q '^set -euo pipefail$' "$script" || { echo "$script: needs 'set -euo pipefail'" >&2; exit 1; }
done
if command -v shellcheck >/dev/null; then shellcheck -x "${scripts[@]}"; fi

python3 - bench/*.py Tests/Plant/*.py deploy/odoo-addon/millgate/*.py deploy/odoo-addon/millgate/*/*.py <<'PYTHON'
import ast, sys
for path in sys.argv[1:]:
    text = open(path).read()
    # Odoo 16 runs on Python 3.8.
    ast.parse(text, path, feature_version=(3, 8) if path.startswith("deploy") else None)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > 120 or line != line.rstrip() or "\t" in line:
            sys.exit(f"{path}:{number}: longer than 120 characters, or tabs or spaces at its end")
PYTHON

# Two spaces after a tab in a recipe, or a recipe without one, are found only when it runs.
make --dry-run help >/dev/null

echo "lint: clean"
