#!/bin/bash
# Checks src/ against tools/layers.txt: which layer includes which, which file includes a foreign header; and the sizes that keep
# files and folders readable: no source longer than 800 lines, a README of at most 60 lines in each folder.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() {
	printf '%s\n' "$1" >&2
	bad=1
}

declare -A may foreign
while read -r name rest; do
	case $name in
	'#'* | '') ;;
	'<'*) foreign[$name]=$rest ;;
	*:) may[${name%:}]=" ${name%:} $rest " ;;
	esac
done <tools/layers.txt

layer_of() { # src/oci/blobs.c: oci; src/main.c: main
	local path=${1#src/}
	case $path in */*) echo "${path%%/*}" ;; *) echo main ;; esac
}

while IFS=: read -r file line text; do
	from=$(layer_of "$file")
	to=${text#*\"}
	to=${to%%/*}
	case ${may[$from]- } in
	*" $to "*) ;;
	*) complain "$file:$line: $from may not include $to: $text" ;;
	esac
done < <(grep -rnE '^#include "[a-z0-9_]+/' src --include='*.[ch]')

while IFS=: read -r file line text; do
	header=${text#*<}
	for prefix in "${!foreign[@]}"; do
		p=${prefix#<}
		p=${p%>}
		case $header in "$p"*) ;; *) continue ;; esac
		home=0
		for place in ${foreign[$prefix]}; do
			case ${file#src/} in "$place" | "$place"/*) home=1 ;; esac
		done
		[ $home = 1 ] || complain "$file:$line: $prefix belongs in ${foreign[$prefix]}"
	done
done < <(grep -rnE '^#include <' src --include='*.[ch]')

while read -r lines file; do
	[ "$lines" -le 800 ] || complain "$file: $lines lines, 800 is the limit"
done < <(find src bench tests -name '*.[ch]' -exec wc -l {} + | grep -v ' total$')

for folder in src/*/; do
	readme=${folder}README.md
	if [ ! -f "$readme" ]; then
		complain "$readme is missing"
	elif [ "$(wc -l <"$readme")" -gt 60 ]; then
		complain "$readme: more than 60 lines"
	fi
done
exit $bad
