"""What the sources of traces know: their events, what they may be locked on, how they show what they tell.

These are the names that the ``trace`` lines of ``traces`` may use; ``any``, ``none`` and, where it begins or
ends something, ``now`` go with every source.
"""

from __future__ import annotations

from typing import Final

EVENTS: Final = {
    "h2": (
        "h2c_new h2c_recv h2c_send h2c_fctl h2c_blk h2c_wake h2c_end h2c_err rx_fhdr rx_frame "
        "rx_eoi rx_preface rx_data rx_hdr rx_prio rx_rst rx_settings rx_push rx_ping rx_goaway "
        "rx_wu rx_cont tx_frame tx_eoi tx_preface tx_data tx_hdr tx_prio tx_rst tx_settings "
        "tx_push tx_ping tx_goaway tx_wu tx_cont h2s_new h2s_recv h2s_send h2s_fctl h2s_blk "
        "h2s_wake h2s_end h2s_err strm_new strm_recv strm_send strm_full strm_wake strm_shut "
        "strm_end strm_err proto_err"
    ),
    "fcgi": (
        "fconn_new fconn_recv fconn_send fconn_blk fconn_wake fconn_end fconn_err rx_fhdr "
        "rx_record rx_eoi rx_get_values rx_stdout rx_stderr rx_end_req tx_record tx_eoi "
        "tx_begin_request tx_get_values tx_params tx_stding tx_abort rsp_data rsp_eom rsp_headers "
        "rsp_body rsp_trailerus fstrm_new fstrm_blk fstrm_end fstrm_err strm_new strm_recv "
        "strm_send strm_full strm_wake strm_shut strm_end strm_err"
    ),
    "spop": (
        "spop_conn_new spop_conn_recv spop_conn_send spop_conn_blk spop_conn_wake spop_conn_end "
        "spop_conn_err rx_fhdr rx_frame rx_eoi rx_hello rx_ack rx_disconnect tx_frame tx_eoi "
        "tx_hello tx_notify tx_disconnect spop_strm_new spop_strm_blk spop_strm_end spop_strm_err "
        "strm_new strm_recv strm_send strm_full strm_wake strm_shut strm_end strm_err"
    ),
    "acme": "acme_sched acme_new acme_task",
    "ssl": (
        "sslc_new sslc_close sslc_end sslc_err sslc_send sslc_send_early sslc_recv "
        "sslc_recv_early sslc_io_cb sslc_hndshk sslc_vfy_cb sslc_stapling sslc_switchctx_cb "
        "sslc_choose_sni_ctx sslc_sigalg_ext sslc_ciphers_ext sslc_curves_ext"
    ),
    "h1": (
        "h1c_new h1c_recv h1c_send h1c_blk h1c_wake h1c_end h1c_err rx_data rx_eoi rx_headers "
        "rx_body rx_trailerus tx_data tx_eoi tx_headers tx_body tx_trailerus h1s_new h1s_blk "
        "h1s_end h1s_err strm_new strm_recv strm_send strm_wake strm_shut strm_end strm_err"
    ),
    "stream": (
        "strm_new strm_free strm_err strm_ana strm_proc sc_state http_ana http_err tcp_ana "
        "tcp_err flt_ana flt_err"
    ),
    "peers": (
        "sess_new sess_end sess_err sess_shut sess_wakeup sess_resync sess_io rx_msg rx_blocked "
        "rx_error tx_msg tx_blocked tx_error proto_error proto_hello proto_success proto_update "
        "proto_ack proto_switch proto_def proto_ctrl"
    ),
    "check": (
        "task_wake hchck_start hchck_wake hchck_run hchck_end hchck_succ hchck_err tcp_check_eval "
        "tcp_check_err tcp_check_conn tcp_check_send tcp_check_expect tcp_check_action rx_data "
        "rx_blk rx_err tx_data tx_blk tx_err"
    ),
    "applet": (
        "app_new app_free app_release app_proc app_err app_start app_receive app_send app_blk app_wake"
    ),
    "pt": (
        "pt_conn_new pt_conn_wake pt_conn_end pt_conn_err strm_new strm_shut strm_end strm_err "
        "pt_rx_data pt_tx_data"
    ),
    "session": "sess_new sess_end sess_err",
    "haterm": "hstrm_new process_hstrm hstrm_send hstrm_recv hstrm_io_cb hstrm_resp hstrm_add_data",
}
"""By source, in the order in which they are listed."""
LOCKS: Final = {
    "h2": "backend connection frontend listener server session h2s",
    "fcgi": "backend connection frontend listener server session fstrm",
    "spop": "backend connection frontend listener server session spop_strm",
    "acme": "acme_ctx",
    "ssl": "backend connection frontend listener server session",
    "h1": "backend connection frontend listener server session h1s",
    "stream": "backend frontend listener server session stream",
    "peers": "applet peer peers",
    "check": "check",
    "applet": "applet",
    "pt": "backend connection frontend listener server session",
    "session": "frontend listener session",
    "haterm": "haterm",
}
"""Beside ``nothing`` and ``thread``."""
_USUAL: Final = "quiet clean minimal simple advanced complete"
_FEW: Final = {"session": "quiet default", "haterm": "quiet clean"}


def events(source: str) -> tuple[str, ...]:
    return ("any", "none", *EVENTS[source].split())


def locks(source: str) -> tuple[str, ...]:
    return ("nothing", "thread", *LOCKS[source].split())


def verbosities(source: str) -> tuple[str, ...]:
    return tuple(_FEW.get(source, _USUAL).split())
