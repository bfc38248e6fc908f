select month, segment_label, spend from v_spend_by_month where scheme = 'rfm'
