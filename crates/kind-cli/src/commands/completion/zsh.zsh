#compdef kind
_kind() {
    local -a lines candidates
    local line
    lines=("${(@f)$(kind __complete "${(@)words[2,$CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        # A colon ends a word, unless it is its own.
        [[ $line == :* ]] || candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if [[ ${lines[-1]} == :0 ]]; then
        _files
    else
        _describe kind candidates
    fi
}
compdef _kind kind
