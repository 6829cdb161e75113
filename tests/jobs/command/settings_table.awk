# Turns the settings part of `gridgpt train --help` into the rows of README's table.
/^settings, in the file/ { on = 1; next }
on && /^  [a-z]+\./ {
    name = $1
    text = $0
    sub(/^ +[^ ]+ +/, "", text)
    value = ""
    if (match(text, / \[[^]]*\]$/)) {
        value = "`" substr(text, RSTART + 2, RLENGTH - 3) "`"
        text = substr(text, 1, RSTART - 1)
    }
    printf "| `%s` | %s | %s |\n", name, value, text
}
