# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What quickstart and the tiers share: the tree's places, messages with the time, counted steps.

PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8
# With it libtool, which runs for each object of a library and each program, takes half the time.
[ ! -x /bin/dash ] || export CONFIG_SHELL=/bin/dash
src=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${HF_STARTED:=$EPOCHSECONDS}"
export HF_STARTED
# Given to every tier by ci/check: its name, its own directory, where results are kept, and whether
# everything was asked for (1) or what each kind of test shows in short (0).
: "${tier=}" "${dir=}" "${base=}" "${results=}" "${long=0}"
# Where a tier only has to tell what it would run: a configured build directory.
: "${HOLDFAST_CI_PLAN=}"

say()
{
	local t=$((EPOCHSECONDS - HF_STARTED))
	printf '[%2d:%02d] %s\n' $((t / 60)) $((t % 60)) "$*"
}

die()
{
	say "error: $*" >&2
	exit 1
}

# One block of text at a time, so that two tiers that fail together stay readable.
block()
{
	(
		flock 9
		cat
	) 9>"$results/.lock"
}

# One line "pass|fail|skip NAME" for everything that counts.
record()
{
	printf '%s %s\n' "$1" "$2" >>"$results/$tier"
}

show_tail()
{
	{
		say "$tier: $1: the end of $2:"
		tail -n 40 "$2" | sed 's/^/	| /'
	} | tee -a "$base/failures.$tier" | block
}

# pick SHORT LONG: a number of rounds, or whatever else a step is given.
pick()
{
	echo "${*:1 + long:1}"
}

# in_long NAME...: false in the short run, which tells then what it leaves out; the other tells what it runs more.
in_long()
{
	local name kind=left

	[ "$long" = 0 ] || kind=also
	for name; do
		record $kind "$name"
	done
	[ "$long" = 0 ] || return 0
	say "$tier: left for --long: $*"
	return 1
}

# limited SECONDS LOG COMMAND...: nothing may hang, nothing reads the terminal.
limited()
{
	local limit=$1 log=$2
	shift 2
	timeout -k 10 "$limit" "$@" </dev/null >"$log" 2>&1
}

# Where a test waits for other processes, two tiers and a guest beside it can make it late. A tier
# that sets patient=1 runs a failed one once more, by itself, and says so. Never what a
# sanitiser has reported: that may happen only now and then.
: "${patient=0}"

# Leaves in $cpu the processor time, in seconds, of the commands that have ended.
cpu_used()
{
	local stat=()

	read -r -a stat <"/proc/$BASHPID/stat"
	cpu=$(((stat[15] + stat[16]) / 100))
}

# step NAME SECONDS COMMAND...: one command that counts as one test.
step()
{
	local name=$1 limit=$2 log=$dir/$1.log began=$EPOCHSECONDS rc=0 before cpu
	shift 2
	say "$tier: $name ..."
	if [ -n "$HOLDFAST_CI_PLAN" ]; then
		record pass "$name"
		return
	fi
	cpu_used
	before=$cpu
	limited "$limit" "$log" "$@" || rc=$?
	if [ "$patient" = 1 ] && [ $rc != 0 ] && [ $rc != 77 ]; then
		mv "$log" "$dir/$name.first.log"
		say "$tier: $name: FAILED with status $rc, once more (its log: $dir/$name.first.log)"
		rc=0
		limited "$limit" "$log" "$@" || rc=$?
	fi
	[ $rc != 124 ] || echo "not done after $limit s" >>"$log"
	cpu_used
	conclude "$name" $rc $((EPOCHSECONDS - began)) $((cpu - before))
}

# conclude NAME STATUS SECONDS CPU-SECONDS: counts and tells how a step ended whose log is $dir/NAME.log.
conclude()
{
	local name=$1 rc=$2 log=$dir/$1.log

	case $rc in
	0)
		record pass "$name"
		say "$tier: $name: passed, $3 s (processor: $4 s)"
		grep -a '^figure: ' "$log" | sed 's/^/	| /'
		;;
	77)
		record skip "$name"
		say "$tier: $name: SKIPPED: $(tail -n 1 "$log")"
		;;
	*)
		record fail "$name"
		say "$tier: $name: FAILED with status $rc, $3 s"
		show_tail "$name" "$log"
		;;
	esac
	return "$rc"
}

# figures NAME LINES: the end of what a step said, for the reader; of one that failed it was shown.
figures()
{
	[ -e "$dir/$1.log" ] && grep -q "^pass $1\$" "$results/$tier" || return 0
	tail -n "$2" "$dir/$1.log" | sed 's/^/	| /' | block
}

passes_alone()
{
	[ "$patient" = 1 ] || return 1
	! grep -qaE 'Sanitizer|runtime error' "$dir/$1.log" || return 1
	cp "$dir/$1.log" "$dir/$1.first.log"
	limited 1800 "$dir/$1.again.log" make check-TESTS TESTS="$1" || return 1
	say "$tier: $1: FAILED, and passed by itself; the first log is $dir/$1.first.log"
}

# plan_suite NAME COMMAND...: the tests that it would run.
plan_suite()
{
	local name=$1 word test tests

	shift
	tests=$(make_variable TESTS)
	for word; do
		[[ $word != TESTS=* ]] || tests=${word#TESTS=}
	done
	for test in $tests; do
		record pass "$name:$test"
	done
}

# Tests of texts, and of scripts and headers that every build has alike: in the short run once is enough.
alike="man/lint man/lint-self t/tree/boot-dracut t/tree/newer-headers t/tree/units"

# What no suite runs: the first needs other releases' packages, which tier abi has. A tier adds what cannot run in
# its build.
never="t/tree/foreign_real"
# Programs of the distribution under a library with a sanitiser, which has to be the first one of a process; and
# system calls are counted, of which a sanitiser makes its own.
unsanitised="t/bench/counts t/tree/example-loop t/tree/foreign-order t/tree/soft-demo t/tree/stream_umockdev
	t/tree/tool-paths t/tree/uroce-captures t/tree/uroce-others t/tree/uroce-programs"
unsanitised=${unsanitised//[$'\n\t']/ }

# tests_but TESTS: the word for make by which the short run's suite leaves these out.
tests_but()
{
	local but=$never

	[ "$long" = 1 ] || but+=" $1"
	echo "TESTS=$(make_variable "filter-out $but,\$(TESTS)")"
}

# threaded_tests: the word for make that leaves, in the short run, those whose own text, or whose programs' text,
# has threads in it. The library makes none of its own accord but for revocation.
threaded_tests()
{
	local test program texts threaded=()

	if [ "$long" = 1 ]; then
		tests_but ""
		return
	fi
	for test in $(make_variable "filter-out $never $alike,\$(TESTS)"); do
		texts=("$src/$test"*)
		while read -r program; do
			texts+=("$src/$program.c")
		done < <(grep -aohs 't/[a-z]*/[a-z_-]*' "$src/$test")
		! grep -qs -e pthread_create -e thread -e revoke "${texts[@]}" || threaded+=("$test")
	done
	echo "TESTS=${threaded[*]}"
}

# programs_of TEST...: the programs to build for these: themselves, those that scripts name, and those that are
# no tests of their own.
programs_of()
{
	local program needed

	needed=" $* $(printf '%s\n' "$@" | sed "s,^,$src/," |
		xargs grep -aohs 't/[a-z]*/[a-z0-9_-]*' | tr '\n' ' ') "
	for program in $(make_variable check_PROGRAMS); do
		[[ $needed != *" $program "* ]] || echo "$program"
	done
	# shellcheck disable=SC2016 # for make
	make_variable 'filter-out $(TESTS),$(check_PROGRAMS)'
}

# suite NAME SECONDS COMMAND...: a run of automake's test driver; each of its tests counts.
suite()
{
	local name=$1 limit=$2 log=$dir/$1.log began=$EPOCHSECONDS rc=0 trs result test
	local passed=0 failed=0 skipped=0 late=0 before cpu
	shift 2
	say "$tier: $name ..."
	if [ -n "$HOLDFAST_CI_PLAN" ]; then
		plan_suite "$name" "$@"
		return
	fi
	find "$dir" -name '*.trs' -delete
	cpu_used
	before=$cpu
	limited "$limit" "$log" "$@" || rc=$?
	while IFS= read -r -d '' trs; do
		test=${trs#"$dir"/}
		test=${test%.trs}
		while read -r result; do
			case $result in
			PASS | XFAIL)
				record pass "$name:$test"
				passed=$((passed + 1))
				;;
			SKIP)
				record skip "$name:$test"
				skipped=$((skipped + 1))
				say "$tier: $test: SKIPPED: $(grep -v '^SKIP ' "$dir/$test.log" | tail -n 1)"
				;;
			*)
				if passes_alone "$test"; then
					record pass "$name:$test"
					passed=$((passed + 1))
					late=$((late + 1))
				else
					record fail "$name:$test"
					failed=$((failed + 1))
					show_tail "$test" "$dir/$test.log"
				fi
				;;
			esac
		done < <(sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p' "$trs")
	done < <(find "$dir" -name '*.trs' -print0 | sort -z)
	# That they failed is not all that can have gone wrong.
	if [ $late != 0 ] && [ $failed = 0 ]; then
		rc=0
		limited "$limit" "$log" "$@" TESTS= || rc=$?
	fi
	# A suite that could not be built, hung, or ran nothing must not look like one that passed.
	if [ $rc != 0 ] && [ $failed = 0 ] || [ $((passed + failed + skipped)) = 0 ]; then
		record fail "$name"
		failed=$((failed + 1))
		[ $((EPOCHSECONDS - began)) -lt "$limit" ] || echo "not done after $limit s" >>"$log"
		show_tail "$name" "$log"
	fi
	cpu_used
	say "$tier: $name: $passed passed, $failed failed, $skipped skipped," \
		"$((EPOCHSECONDS - began)) s (processor: $((cpu - before)) s)"
	return $((failed > 0))
}

# build [CONFIGURE ARGUMENT...]: configures and builds in $dir, as one counted step: all, and all tests.
build()
{
	build_only "check TESTS=" "$@"
}

# build_only TARGETS [CONFIGURE ARGUMENT...]: the same of a part.
build_only()
{
	local targets=$1

	shift
	cd "${HOLDFAST_CI_PLAN:-$dir}" || exit 1
	# shellcheck disable=SC2016 # for the inner shell
	step build 3600 sh -ec 'targets=$1; shift; "$@"; make -j2 $targets' sh "$targets" "$src/configure" "$@"
}

# gcc_build: from here on in the build of tier gcc.
gcc_build()
{
	export top_builddir=${HOLDFAST_CI_PLAN:-$base/gcc} top_srcdir=$src
	[ -n "$HOLDFAST_CI_PLAN" ] || [ -e "$base/gcc/built" ] ||
		die "$tier: tier gcc did not build the library"
	cd "$top_builddir" || exit 1
}

# ask_make NAME: the variable of the Makefile in the working directory.
ask_make()
{
	make -s Makefile >/dev/null || return
	# shellcheck disable=SC2016 # for make
	printf 'include Makefile\nprint:\n\t@echo $(%s)\n' "$1" | make -s -f - print
}

# make_variable NAME: the same. Plans ask the same several times: where they have a directory for it, answers are
# kept.
make_variable()
{
	local kept

	if [ -z "${HOLDFAST_CI_KEPT-}" ]; then
		ask_make "$1"
		return
	fi
	kept=$HOLDFAST_CI_KEPT/$(cksum <<<"$1" | tr ' ' -)
	[ -s "$kept" ] || ask_make "$1" >"$kept" || return
	cat "$kept"
}

# The providers built in the working directory.
provider_files()
{
	local library
	for library in $(make_variable provider_LTLIBRARIES); do
		library=${library%.la}.so
		echo "$(dirname "$library")/.libs/${library##*/}"
	done
}
