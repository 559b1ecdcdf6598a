# fish completion for kind
function __kind_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l lines (kind __complete $words[2..-1] "$last" 2>/dev/null)
    if test "$lines[-1]" != :0
        string match -v -r '^:' -- $lines
    else if set -l parts (string match -r '^(--[^=]+=)(.*)$' -- "$last")
        # The value of a flag that is given in one word.
        __fish_complete_path "$parts[3]" | string replace -r -- '^' "$parts[2]"
    else
        __fish_complete_path "$last"
    end
end
complete -c kind -f -a '(__kind_complete)'
