# shellcheck shell=bash
# What the scripts have in common. Sourced in the root of the checkout, where they go first.

# end_with CODE SENTENCE: exit codes are those of the CLI.
end_with() {
    printf '%s: %s\n' "${0##*/}" "$2" >&2
    exit "$1"
}

# describe FILE: the comment at the top of a script.
describe() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"; }

# The Python environment, made or brought up to date; without a word where it is. What make says is no output of the script.
provide_environment() {
    command -v make >/dev/null ||
        end_with 3 "make should be on PATH, but is not. Next: apt-get install make git python3-venv"
    make --question install 2>/dev/null || make --no-print-directory install >&2 ||
        end_with 3 "The Python environment should be made, but was not; the reason is above. Next: make install"
}
