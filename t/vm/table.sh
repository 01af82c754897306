# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # $work and more is the script's, as $mapped is for it
# For guest scripts that run programs in all columns and make a table of it: . "$VM_DIR/table.sh",
# after columns.sh. Such a script sets $work, a directory, and $wanted: regular expressions, only
# rows whose names match one of them are run.

wanted=()
limit=40 # seconds for one program
rows=()
declare -A verdict=() key=() reason=() mapped=()

# The last word that a program said on its own failure.
complaint()
{
	cat "$@" 2>/dev/null | grep -av '^[[:space:]]*\(local\|remote\)\|^[- ]*$' | tail -n 1 |
		tr -s '[:space:]' ' ' | cut -c 1-100
}

# asked_for NAME: whether the row is one that was asked for; it gets its line in the table.
asked_for()
{
	local pattern

	rows+=("$1")
	[ ${#wanted[@]} -gt 0 ] || return 0
	for pattern in "${wanted[@]}"; do
		[[ ! $1 =~ $pattern ]] || return 0
	done
	unset 'rows[-1]'
	return 1
}

# judge COLUMN NAME STATUS FIGURE FILES...: one cell.
judge()
{
	local cell=$1,$2

	if [ "$3" = 0 ] && [ -n "$4" ]; then
		verdict[$cell]=ok key[$cell]=$4 reason[$cell]=
	else
		verdict[$cell]=fails
		reason[$cell]="$3: $(for file in "${@:5}"; do complaint "$file"; done | tr '\n' '/')"
	fi
	echo "# $(now_ms) ms: $2, $1: ${verdict[$cell]} ${key[$cell]-}${reason[$cell]-}"
}

# single NAME FIGURE COMMAND...: a program without a second one; FIGURE reads its output.
single()
{
	local name=$1 figure=$2 column status

	shift 2
	asked_for "$name" || return 0
	for column in "${columns[@]}"; do
		status=0
		on "$column" timeout -k 5 "$limit" "$@"
		"${with[@]}" >"$work/out" 2>"$work/err" </dev/null || status=$?
		cp "$work/out" "$work/${name//[ \/]/_}.$column"
		judge "$column" "$name" "$status" "$($figure <"$work/out")" "$work/out" "$work/err"
	done
}

server_of()	# PID OF timeout(1)
{
	local server

	# The file does not end its line.
	read -r server _ 2>/dev/null <"/proc/$1/task/$1/children" || [ -n "$server" ] || return
	echo "$server"
}

# Asleep where a server waits for its client: accept(), an event of the connection manager, or, where
# a thread does that, a semaphore. Not a sleep of some length: the guest may be slow.
waiting()	# PID OF timeout(1)
{
	local server wchan

	server=$(server_of "$1") || return
	read -r wchan <"/proc/$server/wchan" || :
	case $wchan in
	inet_csk_accept | ucma_get_event | futex_wait*) return 0 ;;
	*) ss -Hltn "sport = :19765" | grep -q . ;; # qperf
	esac
}

ended()
{
	! kill -0 "$1" 2>/dev/null
}

ready_or_ended()
{
	if [ -n "$ready" ]; then
		grep -aq "$ready" "$work/server" || ended "$1"
	else
		waiting "$1" || ended "$1"
	fi
}

# pair NAME FIGURE SERVER... -- CLIENT...: FIGURE reads what the client said. What the waiting server
# has mapped of verbs is left in $mapped.
pair()
{
	local name=$1 figure=$2 column more server=()

	shift 2
	asked_for "$name" || return 0
	while [ "$1" != -- ]; do
		server+=("$1")
		shift
	done
	shift
	for column in "${columns[@]}"; do
		more=1
		[[ -z $lossy || ! $name =~ $lossy ]] || more=5
		meet "$column" "$name" "$figure" "$@"
		while [ $((more--)) -gt 0 ] && once_more "$column" "$name"; do
			again=$((again + 1))
			meet "$column" "$name" "$figure" "$@"
		done
	done
}

# Where nothing is sent again, one lost packet stops a ping-pong for ever. And on a busy host a connection may
# time out: what works on the incumbent has a second try, the former a few more, and the table says how many.
once_more()	# COLUMN NAME
{
	local column=$1 name=$2

	[ "${verdict[$column,$name]}" = fails ] || return 1
	[[ -z $lossy || ! $name =~ $lossy ]] || return 0
	[ "$column" != incumbent ] && [ "${verdict[incumbent,$name]-}" = ok ]
}

meet()	# COLUMN NAME FIGURE CLIENT...; the server is in pair's $server
{
	local column=$1 name=$2 figure=$3 status first=0 second=0 pid

	shift 3
	on "$column" timeout -k 5 "$limit" "${server[@]}"
	"${with[@]}" >"$work/server" 2>&1 </dev/null &
	pid=$!
	eventually "$limit" ready_or_ended "$pid"
	mapped[$column,$name]=$(library_of "$(server_of "$pid")" 2>/dev/null)
	on "$column" timeout -k 5 "$limit" "$@"
	"${with[@]}" >"$work/client" 2>&1 </dev/null || second=$?
	[ "$persistent" = 0 ] || kill "$pid" 2>/dev/null
	# A client that has failed leaves its server waiting.
	[ "$second" = 0 ] || kill "$pid" 2>/dev/null
	wait "$pid" || first=$?
	[ "$persistent" = 0 ] || first=0
	status=$second
	[ "$status" != 0 ] || status=$first
	judge "$column" "$name" "$status" "$($figure <"$work/client")" "$work/server" "$work/client"
}
persistent=0	# 1: the server does not end by itself
ready=		# what a server says that does not sleep while it waits
again=0		# pairs that had a second try
lossy=		# regular expression: names of pairs that may lose a message

cell()	# COLUMN ROW
{
	local cell=$1,$2

	case ${verdict[$cell]-n.a.} in
	ok) echo "${key[$cell]}" ;;
	*) echo "${verdict[$cell]-n.a.}" ;;
	esac
}

# The last part of a script: the table, and that what works on the incumbent works on all.
show_table()
{
	local row column working=0

	printf 'figure: %-34s | %-28s | %-28s | %s\n' program incumbent "Holdfast (a), its rxe" \
		"Holdfast (b), our rxe"
	for row in "${rows[@]}"; do
		printf 'figure: %-34s | %-28s | %-28s | %s\n' "$row" "$(cell incumbent "$row")" \
			"$(cell distribution "$row")" "$(cell holdfast "$row")"
	done
	for row in "${rows[@]}"; do
		for column in "${columns[@]}"; do
			[ "${verdict[$column,$row]}" = ok ] ||
				printf '# %s on %s: %s\n' "$row" "$column" "${reason[$column,$row]}"
		done
	done

	for row in "${rows[@]}"; do
		for column in "${columns[@]}"; do
			[ "$column" != incumbent ] || continue
			[ "${verdict[incumbent,$row]}" = ok ] || continue
			is "$row with the ${column}'s provider" "${verdict[$column,$row]}" ok
		done
	done
	for row in "${rows[@]}"; do
		[ "${verdict[incumbent,$row]}" != ok ] || working=$((working + 1))
	done
	figure "$working of ${#rows[@]} programs work on the incumbent; second tries: $again"
}
