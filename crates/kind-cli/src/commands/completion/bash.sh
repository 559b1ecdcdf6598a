# bash completion for kind
_kind() {
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    local lines line
    COMPREPLY=()
    mapfile -t lines < <(kind __completeNoDesc "${words[@]}" 2>/dev/null)
    for line in "${lines[@]}"; do
        [[ $line == :* ]] || COMPREPLY+=("$line")
    done
    [[ ${lines[-1]:-} == :0 ]] && compopt -o default 2>/dev/null
}
complete -F _kind kind
