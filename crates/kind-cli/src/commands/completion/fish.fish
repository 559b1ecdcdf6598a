# fish completion for kind
function __kind_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l lines (kind __complete $words[2..-1] "$last" 2>/dev/null)
    if test "$lines[-1]" = :0
        __fish_complete_path "$last"
    else
        string match -v -r '^:' -- $lines
    end
end
complete -c kind -f -a '(__kind_complete)'
