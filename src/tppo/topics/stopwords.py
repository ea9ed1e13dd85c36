"""Indonesian words that say nothing of an article's topic: function words and the phrases of news writing."""

from __future__ import annotations

__all__ = ["STOP_WORDS"]

_WORDS = """
    ada adalah adanya adapun advertisement agar agustus aja akan akhirnya akibat aku alias amat and anda antara apa
    apabila apakah apalagi april asal atas atau awal awalnya baca bagai bagaimana bagi bagian bahkan bahwa
    bahwasanya baik bakal banyak baru bawah beberapa begini begitu belum benar berada berapa berarti berbagai
    berikut besar beserta betul biasa biasanya bila bisa bisnis boleh buat bukan bukanlah bulan cara co com
    copyright cukup cuma cuman dah dahulu dalam dan dapat dari daripada datang deh demi demikian dengan depan
    desember detik detikcom di dia diantaranya dikarenakan dikatakan diketahui dilakukan dimaksud dimana diri
    dirinya disebut ditambah diungkapkan dll dok dong dsb dst dua dulu editor empat enggak entah februari for foto
    gak gambas gelora gini gitu guna hal halaman hampir hanya hanyalah hari harus hendak hendaknya hingga http https
    ia ialah id ikut imbuh imbuhnya in ingin ini inilah is ist itu itulah iya jadi jangan januari jauh jelas
    jelasnya jika jikalau jpnn juga juli jumat jumlah juni justru juta kah kalau kali kami kamis kamu kan kapan
    karena kata katanya kayak ke kecil kedua keduanya kemarin kembali kemudian kenapa kepada kepala kerap ketika
    khususnya kini kira kita kok kompas kurang lagi lah lain lainnya lalu lama lanjut lantaran lantas lebih lewat
    lho lima loh maka makin maksud malah mampu mana maret mari masa masalah masih masing mau maupun mei melainkan
    melakukan melalui memang memiliki mendatang mengaku mengapa mengatakan mengenai menjadi menjelaskan menuju
    menurut menyampaikan menyebut menyebutkan merasa mereka merupakan meski meskipun miliar milik minggu mulai
    muncul mungkin nah nak namun nanti nantinya nggak nih november nya of oktober oleh olehnya on orang pada padahal
    paling pantas papar paparnya para pasti pekan pentingnya penuh penulis per perlu pernah persen pertama pihak
    pihaknya pukul pula puluh pun punya rabu ratus redaksi reporter ribu rp saat sabtu saja sama sambil sampai sana
    sang sangat satu saya scroll sebab sebagai sebagaimana sebaliknya sebanyak sebelum sebelumnya sebenarnya sebesar
    sebetulnya sebuah sebut sebutnya secara sedang sedangkan segala segera seharusnya sehingga sejak sejumlah
    sekadar sekali sekaligus sekalipun sekarang sekitar selain selaku selalu selama selanjutnya selasa seluruh
    semacam semakin semasa sementara sempat semua sendiri sendirinya senin seolah seorang sepanjang seperti
    september seputar sering serta sesuai sesuatu sesudah setelah setempat setiap setidaknya seusai siapa sih simak
    sini situ soal suatu sudah sumber supaya tadi tahu tahun tak tambah tambahnya tandas tanpa tapi tegas tegasnya
    telah tempat tentang tentu tentulah tentunya terang terangnya terdapat terdiri terhadap terjadi terkait terlalu
    terlebih terlihat termasuk ternyata tersebut terus terutama tetap tetapi the tiap tiba tidak tidaklah tiga tim
    tinggi to tribun tuh turut tutur tuturnya ucap ucapnya udah ujar ujarnya umum umumnya ungkap ungkapnya untuk
    usah usai via video wah waktu walau walaupun wib wit wita www ya yaitu yakni yang
"""

STOP_WORDS = frozenset(_WORDS.split())
