#!/bin/sh
# install-hooks.sh: let git run the hooks of .githooks in this checkout.
set -eu

cd "$(dirname "$0")/.."
chmod +x .githooks/*
git config core.hooksPath .githooks
echo "hooks: $(echo .githooks/*)"
