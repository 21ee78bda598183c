#!/bin/sh
# Playwright sets MOZ_CRASHREPORTER_SHUTDOWN, which ends Firefox when one of its tabs crashes; the scenarios need the other tabs.
unset MOZ_CRASHREPORTER MOZ_CRASHREPORTER_SHUTDOWN
exec "$TOKENTIDE_FIREFOX" "$@"
