# bash completion for kind
_kind() {
    local line=${COMP_LINE:0:COMP_POINT}
    local words lines candidate last prefix=
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    last=${words[${#words[@]}-1]}
    # Bash completes only what stands behind the last of these.
    [[ $COMP_WORDBREAKS == *:* && $last == *:* ]] && prefix=${last%"${last##*:}"}
    [[ -z $prefix && $COMP_WORDBREAKS == *=* && $last == *=* ]] && prefix=${last%"${last##*=}"}
    COMPREPLY=()
    mapfile -t lines < <("${words[0]}" __completeNoDesc "${words[@]:1}" 2>/dev/null)
    for candidate in "${lines[@]}"; do
        [[ $candidate == :* ]] || COMPREPLY+=("${candidate#"$prefix"}")
    done
    if (( ${#lines[@]} )) && [[ ${lines[${#lines[@]}-1]} == :0 ]]; then
        compopt -o default 2>/dev/null || true
    fi
}
complete -F _kind kind
