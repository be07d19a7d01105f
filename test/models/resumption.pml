/*
 * A session that moves from link to link: what nobody has read is sent again, each message is read once and in order; a
 * session of a fenced incarnation, or one whose lease has run out, is not carried on, and the coordinator goes on with a
 * newer one.
 *
 * One coordinator, one worker, links 0 to LINKS - 1, each used once. A link is reset at any moment but the last one, which
 * stays: what is under way on it is lost, or is read before the worker learns of the reset. In each session the coordinator
 * sends the messages 1 to M in frames that are numbered on their own, and is done when all are acknowledged. Messages go
 * one way; the other is the same.
 *
 * Switches, each of which takes a rule away:
 *   ANY_ORDER    the newest link is the one whose RESUME was read last, not the one that was made last
 *   NO_DESTROY   the worker reads on of the link before the one on which the session is resumed
 *   READ_LATER   the worker reads what is left of the older link after it has said how far it has read
 *   FORGET       what was handed over is not kept: the next message follows the last one that was sent
 *   FROM_ACK     everything behind the last ack is sent again, although more has been read
 *   NO_NUMBERS   the worker does not look at the numbers of frames
 *   FENCED_GOES  a session of a fenced incarnation is carried on
 *   EXPIRED_GOES a session whose lease has run out is carried on
 *   NO_NEW       a fenced coordinator opens its next session under the old incarnation
 * Faults: LEASE (the lease of the first session may run out), FENCE (the first incarnation may be fenced).
 *
 * Every run is finite; `final` is the state where nothing can move any more, and "eventually" means there.
 */
#ifndef LINKS
#define LINKS 3
#endif
#ifndef M
#define M 2
#endif
#define SESSIONS 6
#define NONE 255

mtype = { OPEN, RESUME, DATA, ACCEPTED, RESUMED, REFUSED, ACK };
mtype = { away, asking, talking };

/* up: what, session, incarnation or frame, message. down: what, session, frame or whether it is fenced */
chan up[LINKS] = [3] of { mtype, byte, byte, byte };
chan down[LINKS] = [3] of { mtype, byte, byte };
bool cut[LINKS];         /* carries nothing any more */
bool unread[LINKS];      /* the worker has destroyed it, or has learned of its reset */
bool final;

/* coordinator */
mtype phase = away;
byte link = NONE, used = 0, s = 0, inc = 0;
bool asked, accepted, finished;
byte number, acked, next, most;   /* last frame handed over, last one acked, next message, last message ever sent */
/* worker */
bool fenced[2], open[SESSIONS], gone[SESSIONS];
byte whose[SESSIONS], read[SESSIONS], got[SESSIONS], newest = NONE, at = NONE, told;
bool twice, gap, violated, after_fence, after_lease;

inline opens() { accepted = false; number = 0; acked = 0; next = 1; most = 0 }

active proctype Coordinator()
{	mtype m; byte x, n;
	opens();
	do
	:: atomic { phase == away && used < LINKS && !finished ->
		link = used; used++;
		if
		:: accepted -> up[link]!RESUME(s, inc, 0)
		/* one that was asked for and not accepted is not asked for again: numbers ascend */
		:: !accepted && asked -> s++; up[link]!OPEN(s, inc, 0)
		:: !accepted && !asked -> asked = true; up[link]!OPEN(s, inc, 0)
		fi;
		phase = asking
	   }
	:: atomic { phase != away && nempty(down[link]) && !cut[link] ->
		down[link]?m(x, n);
		if
		:: m == ACCEPTED -> accepted = true; phase = talking
		:: m == RESUMED ->
			phase = talking;
#ifdef FORGET
			next = most + 1;
#else
#ifdef FROM_ACK
			next = next - (number - acked);
#else
			next = next - (number - n);
#endif
#endif
			number = n; acked = n
		:: m == ACK && x == s -> acked = n
		/* it is refused, or over: the link is closed with that, which here stays for the next one */
		:: (m == ACK || m == REFUSED) && x != s -> skip
		:: m == REFUSED && x == s ->
			if :: s < SESSIONS - 1 -> s++; opens() :: else -> finished = true fi;
#ifndef NO_NEW
			if :: n == 1 && inc == 0 -> inc = 1 :: else fi;
#endif
			if :: !finished -> up[link]!OPEN(s, inc, 0); phase = asking :: else fi
		fi
	   }
	:: atomic { phase == talking && next <= M && nfull(up[link]) && !cut[link] ->
		number++; up[link]!DATA(s, number, next);
		if :: next > most -> most = next :: else fi;
		next++
	   }
	:: atomic { phase != away && used < LINKS -> cut[link] = true; phase = away }
	:: atomic { phase == talking && acked == number && next > M -> finished = true; break }
	:: atomic { finished -> break }
	:: atomic { final -> break }
	od
}

inline hear(l) {
	up[l]?m(x, n, c);
	if
	:: m == OPEN ->
		if
		:: fenced[n] -> down[l]!REFUSED(x, 1)
		/* stale: newer is the higher number, not the later arrival */
		:: !fenced[n] && newest != NONE && x <= newest -> down[l]!REFUSED(x, 0)
		:: else ->
			if :: at != NONE && at != l -> unread[at] = true :: else fi;
			if :: newest != NONE -> open[newest] = false :: else fi;
			newest = x; at = l; told = 0; whose[x] = n; open[x] = true; down[l]!ACCEPTED(x, 0)
		fi
	:: m == RESUME ->
		if
#ifndef ANY_ORDER
		/* a reset link may be read after the one that replaced it */
		:: at != NONE && at > l -> unread[l] = true
#define NEWER (at == NONE || at < l)
#else
#define NEWER true
#endif
#ifdef FENCED_GOES
		:: NEWER && fenced[n] -> open[x] = true; down[l]!RESUMED(x, read[x]); at = l
#else
		:: NEWER && fenced[n] -> down[l]!REFUSED(x, 1)
#endif
#ifdef EXPIRED_GOES
		:: NEWER && !fenced[n] && gone[x] -> open[x] = true; down[l]!RESUMED(x, read[x]); at = l
		:: NEWER && !fenced[n] && !gone[x] && !open[x] -> down[l]!REFUSED(x, 0)
#else
		:: NEWER && !fenced[n] && !open[x] -> down[l]!REFUSED(x, 0)
#endif
		:: NEWER && !fenced[n] && open[x] ->
#ifdef READ_LATER
			down[l]!RESUMED(x, read[x]);
			do
			:: at != NONE && at != l && !unread[at] && nempty(up[at]) ->
				up[at]?m(x, n, c);
				if :: m == DATA -> take() :: m != DATA fi
			:: break
			od;
			if :: at != NONE && at != l -> unread[at] = true :: else fi;
#else
#ifndef NO_DESTROY
			if :: at != NONE && at != l -> unread[at] = true :: else fi;
#endif
			down[l]!RESUMED(x, read[x]);
#endif
			at = l; told = read[x]
		fi
	:: m == DATA -> take()
	fi
}
inline take() {
	if
#ifndef NO_NUMBERS
	:: open[x] && n != read[x] + 1 -> violated = true; open[x] = false
	:: open[x] && n == read[x] + 1 ->
#else
	:: open[x] ->
#endif
		read[x] = n;
		after_fence = after_fence || fenced[whose[x]];
		after_lease = after_lease || gone[x];
		if
		:: c == got[x] + 1 -> got[x] = c
		:: c <= got[x] -> twice = true
		:: c > got[x] + 1 -> gap = true
		fi
	:: !open[x]
	fi
}

active proctype Worker()
{	mtype m; byte x, n, c;
	do
	:: atomic { !unread[0] && nempty(up[0]) && nfull(down[0]) -> hear(0) }
	:: atomic { !unread[1] && nempty(up[1]) && nfull(down[1]) -> hear(1) }
#if LINKS > 2
	:: atomic { !unread[2] && nempty(up[2]) && nfull(down[2]) -> hear(2) }
#endif
	:: atomic { newest != NONE && open[newest] && told != read[newest] && nfull(down[at]) ->
		told = read[newest]; down[at]!ACK(newest, told)
	   }
	/* it learns of a reset: what it has not read is lost */
	:: atomic { cut[0] && !unread[0] -> unread[0] = true }
	:: atomic { cut[1] && !unread[1] -> unread[1] = true }
#ifdef LEASE
	:: atomic { open[0] && !gone[0] && nfull(down[at]) -> open[0] = false; gone[0] = true; down[at]!REFUSED(0, 0) }
#endif
#ifdef FENCE
	:: atomic { !fenced[0] && newest != NONE && nfull(down[at]) ->
		fenced[0] = true;
		if
		:: whose[newest] == 0 && open[newest] -> open[newest] = false; down[at]!REFUSED(newest, 1)
		:: else
		fi
	   }
#endif
	:: atomic { final -> break }
	od
}

active proctype End() { timeout -> final = true }

/* what a session of which the coordinator is done has read, was all of it */
#define whole (!(finished && acked > 0) || got[s] == M)

ltl once    { [] !twice }
ltl no_gap  { [] !gap }
ltl clean   { [] !violated }
ltl barred  { [] (!after_fence && !after_lease) }
ltl all_of  { [] whole }
ltl goes_on { [] (final -> (finished && got[s] == M)) }
