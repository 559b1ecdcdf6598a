#compdef kind
_kind() {
    local -a lines candidates
    local line program=${(Q)words[1]}
    lines=("${(@f)$(${~program} __complete "${(@)words[2,$CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        # A colon ends a word, unless it is its own.
        [[ $line == :* ]] || candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if [[ ${lines[-1]} == :0 ]]; then
        # The value of a flag that is given in one word.
        compset -P '--*='
        _files
    else
        _describe kind candidates
    fi
}
# As a file in `fpath` this is the function's own first call.
if [[ ${funcstack[1]} == _kind ]]; then
    _kind "$@"
else
    compdef _kind kind
fi
