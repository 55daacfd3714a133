"""The contract's phrases in Chinese; keys and facts are those of the English ones."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "合作合同：{title}",
        "parties": "合同双方",
        "parties/brand": "品牌方：{brand_id}。",
        "parties/creator": "创作者：{creator_id}。",
        "parties/campaign": "活动：{title}。目标：{objective}。",
        "parties/law": "内容适用{jurisdiction}的广告法律。",
        "work": "创作内容",
        "work/item": "{ordinal}. {platform}，{format}。",
        "work/outline": "初稿之前须由品牌方确认大纲。",
        "work/later": "其期限比第一项晚 {starts_after_s}开始。",
        "work/freedom": "创作自由度：{freedom}。",
        "work/key_message": "需要传达：{text}",
        "work/must": "必须：{text}",
        "work/must_not": "不得：{text}",
        "products": "产品",
        "products/sent": "{name}（价值 {value_minor}）由品牌方寄给创作者。",
        "products/kept": "{name}（价值 {value_minor}）不寄送。",
        "products/clock": (
            "款项托管后 {product_s}内品牌方寄出产品，此后 {product_s}内创作者确认收货；收货后开始创作。"
            "任一期限届满，合同终止，款项退回。"
        ),
        "price": "费用",
        "price/gift": "不支付现金，以产品为报酬。",
        "price/fee": (
            "第 {ordinal} 项：创作者报酬 {fee_minor}；品牌方另向平台支付 {brand_fee_minor}（{brand_fee_bps}）。"
        ),
        "price/total": "托管总额 {escrow_minor}。",
        "price/creator_fee": "创作者从每笔报酬中向平台支付 {creator_fee_bps}。",
        "price/policy": "平台的两项费率依据其政策 {fee_policy}。法律要求的税款从创作者所得中代扣。",
        "funding": "款项托管",
        "funding/clock": (
            "合同成立后 {funding_s}内，品牌方的预存款须足以覆盖托管金额；否则合同终止，已托管的款项退回，双方互不欠付。"
        ),
        "review": "初稿与审核",
        "review/draft": "创作者在开始创作或大纲确认后 {draft_s}内提交各项初稿。",
        "review/compliance": "合规审核在 {compliance_s}内答复。平台未答复不由任何一方承担后果：双方的期限停止计算。",
        "review/brand": (
            "合规通过后 {brand_review_s}内品牌方答复；逾期提醒一次，再过 {review_reminder_s}仍未答复，内容视为通过。"
        ),
        "review/revisions": "品牌方可要求修改 {max_revisions} 次，创作者每次在 {revision_s}内提交修改稿。",
        "review/ruling": "品牌方仍有异议的，由平台工作人员在 {ruling_s}内裁定。",
        "publication": "发布",
        "publication/window": (
            "内容于 {first} 至 {last}（{timezone} 当地日期）发布，使用已通过的文字和合规审核所附的广告标识。"
        ),
        "publication/clock": (
            "内容在通过后 {publish_s}内发布；已约定时间的，在该时间后 {publish_grace_s}内发布。未按时发布的，该项终止且不付款。"
        ),
        "payment": "付款",
        "payment/look": "发布 {live_check_after_s}后，平台开始查看所发布的内容。",
        "payment/paid": "查看结果与通过的内容一致的，应付报酬；{settlement_delay_s}后付款，有未决争议的除外。",
        "protection": "内容保留",
        "protection/stays": "自发布起 {protection_s}内，内容保持公开、不改动、带有标识。",
        "protection/cure": "发现不符的，创作者有 {cure_s}恢复内容。",
        "protection/claw_back": "未恢复的，创作者该项所得的 {claw_back_bps} 退还品牌方。",
        "protection/dispute": "未恢复的，由争议裁定决定。",
        "rights": "权利",
        "rights/usage": "自发布起 {usage_days}内，品牌方可以使用该内容。",
        "rights/exclusive": "自发布起 {exclusivity_days}内，创作者不为竞争品牌做广告。",
        "rights/not_exclusive": "创作者可以为竞争品牌工作。",
        "cancellation": "取消",
        "cancellation/brand": "款项托管后品牌方取消的，对每一项尚未核验的内容，按以下比例向创作者支付报酬：",
        "cancellation/rung": "{stage}：{share_bps}。",
        "cancellation/creator": "创作者取消的，尚未核验的内容不付款。款项托管之前取消，双方均不付款。已核验的内容照付。",
        "disputes": "争议",
        "disputes/open": (
            "任何一方均可提出争议。争议期间所有期限停止计算，尚未付出的款项暂停支付。"
            "工作人员在 {dispute_s}内裁定：继续合作，或终止合作并按比例向创作者付款。"
        ),
        "record": "合同记录",
        "record/sealed": (
            "合同以平台记录为准：任务书第 {brief_version} 版及其条款，SHA-256 为 {terms_hash}。本文本说明记录的内容。"
        ),
        "record/amended": "任务书的后续版本经创作者同意后方对其有约束力。",
        "unit/days": "{count} 天",
        "unit/days/one": "{count} 天",
        "unit/hours": "{count} 小时",
        "unit/hours/one": "{count} 小时",
        "unit/minutes": "{count} 分钟",
        "unit/minutes/one": "{count} 分钟",
        "unit/seconds": "{count} 秒",
        "unit/seconds/one": "{count} 秒",
        "word/xiaohongshu": "小红书",
        "word/douyin": "抖音",
        "word/weibo": "微博",
        "word/bilibili": "哔哩哔哩",
        "word/tiktok": "TikTok",
        "word/instagram": "Instagram",
        "word/youtube": "YouTube",
        "word/image_note": "图文笔记",
        "word/video": "视频",
        "word/live_hour": "直播（小时）",
        "word/story": "快拍",
        "word/exposure": "曝光",
        "word/reads": "阅读",
        "word/engagement": "互动",
        "word/sales": "销售",
        "word/low": "低",
        "word/medium": "中",
        "word/high": "高",
        "word/CN": "中国",
        "word/US": "美国",
        "word/UK": "英国",
        "word/EU": "欧盟",
        "word/FR": "法国",
        "word/before_outline": "提交大纲或初稿之前",
        "word/after_outline": "提交大纲之后",
        "word/after_draft": "提交初稿之后",
        "word/after_feedback": "第二次反馈之后，或自发布日起",
    }
)
